@echo off
rem Double-click: plans inputs\baseline.xlsx. Drop a workbook on this file: plans that one. The result opens when it is ready.
chcp 65001 >nul
cd /d "%~dp0.."
where py >nul 2>nul && (set "PYTHON=py -3") || (set "PYTHON=python")
if "%~1"=="" (%PYTHON% run.py --open) else (%PYTHON% run.py "%~1" --open)
echo.
pause

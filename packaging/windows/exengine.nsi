; The Windows installer, for the user who runs it: no administrator is asked. Compiled by packaging/build.py, which
; defines VERSION, FOLDER (the program's folder), ICON, LICENCE and OUT.
; The trader's data, in %LOCALAPPDATA%\ExEngine, is never touched.

Unicode true
SetCompressor /SOLID lzma
!include "MUI2.nsh"
!include "LogicLib.nsh"

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\ExEngine"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"

Name "ExEngine ${VERSION}"
OutFile "${OUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\ExEngine"
InstallDirRegKey HKCU "${KEY}" "InstallLocation"
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "ExEngine"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "ExEngine setup"
VIAddVersionKey "LegalCopyright" "MIT licence"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\exenginew.exe"
!insertmacro MUI_PAGE_LICENSE "${LICENCE}"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; Files of a running program cannot be replaced, and half a program is worse than an old one.
!macro RefuseWhileRunning un
Function ${un}RefuseWhileRunning
  ${If} ${FileExists} "$INSTDIR\exenginew.exe"
    again:
    ClearErrors
    FileOpen $0 "$INSTDIR\exenginew.exe" a
    ${If} ${Errors}
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "ExEngine is running. Nothing was changed. Quit it (File, Quit; what rests on an exchange stays there), then try again." /SD IDCANCEL IDRETRY again
      Abort
    ${EndIf}
    FileClose $0
  ${EndIf}
FunctionEnd
!macroend
!insertmacro RefuseWhileRunning ""
!insertmacro RefuseWhileRunning "un."

Section "ExEngine" SectionProgram
  SectionIn RO
  Call RefuseWhileRunning
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$INSTDIR"
  File /r "${FOLDER}\*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\ExEngine.lnk" "$INSTDIR\exenginew.exe"
  WriteRegStr HKCU "${KEY}" "DisplayName" "ExEngine"
  WriteRegStr HKCU "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${KEY}" "DisplayIcon" "$INSTDIR\exenginew.exe"
  WriteRegStr HKCU "${KEY}" "Publisher" "ExEngine contributors"
  WriteRegStr HKCU "${KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${KEY}" "NoRepair" 1
SectionEnd

Section /o "Icon on the desktop" SectionDesktop
  CreateShortcut "$DESKTOP\ExEngine.lnk" "$INSTDIR\exenginew.exe"
SectionEnd

Section /o "Start when I log in" SectionRun
  WriteRegStr HKCU "${RUN}" "ExEngine" '"$INSTDIR\exenginew.exe"'
SectionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${SectionProgram} "The program and all that it needs."
  !insertmacro MUI_DESCRIPTION_TEXT ${SectionDesktop} "A shortcut on the desktop."
  !insertmacro MUI_DESCRIPTION_TEXT ${SectionRun} "ExEngine goes on by itself after a restart. File, Start when I log in changes that later."
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Section "Uninstall"
  Call un.RefuseWhileRunning
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\exengine.exe"
  Delete "$INSTDIR\exenginew.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\ExEngine.lnk"
  Delete "$DESKTOP\ExEngine.lnk"
  DeleteRegKey HKCU "${KEY}"
  DeleteRegValue HKCU "${RUN}" "ExEngine"
SectionEnd

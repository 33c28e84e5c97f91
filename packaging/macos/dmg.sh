#!/usr/bin/env bash
# dmg.sh APP DMG: the disk image that macOS users install from. packaging/build.py calls it.
# Signs where EXENGINE_CODESIGN_IDENTITY names a Developer ID, and has Apple notarise it where EXENGINE_NOTARY_PROFILE
# names what `xcrun notarytool store-credentials` has kept.
set -euo pipefail
app=$1
dmg=$2
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

if [ -n "${EXENGINE_CODESIGN_IDENTITY:-}" ]; then
  # The parts were signed as they were collected; the bundle around them is sealed last.
  codesign --force --timestamp --options runtime --sign "$EXENGINE_CODESIGN_IDENTITY" \
    --entitlements "$(dirname "$0")/entitlements.plist" "$app"
fi
codesign --verify --deep --strict "$app"

ditto "$app" "$stage/$(basename "$app")"
ln -s /Applications "$stage/Applications"
rm -f "$dmg"
hdiutil create -volname ExEngine -srcfolder "$stage" -fs HFS+ -format UDZO -ov "$dmg"

if [ -n "${EXENGINE_CODESIGN_IDENTITY:-}" ]; then
  codesign --timestamp --sign "$EXENGINE_CODESIGN_IDENTITY" "$dmg"
fi
if [ -n "${EXENGINE_NOTARY_PROFILE:-}" ]; then
  xcrun notarytool submit "$dmg" --keychain-profile "$EXENGINE_NOTARY_PROFILE" --wait
  xcrun stapler staple "$dmg"
fi

# As a user would: open it, and try the program in it.
place=$(mktemp -d)
hdiutil attach "$dmg" -nobrowse -readonly -mountpoint "$place"
code=0
"$place/$(basename "$app")/Contents/MacOS/exengine" --smoke || code=$?
hdiutil detach "$place"
exit "$code"

#!/bin/sh
# Debian 12's unar (1.10.7+ds1+really1.10.1), the engine of The Unarchiver, opens no ZIP with AES, not even one that 7-Zip
# made: it says "Missing or wrong password" of the right one, and leaves an empty file of the right name.
#
# What one would think: the password is wrong, or whoever wrote the archive got AE-2 wrong. Neither: the same password
# opens the same file of 7-Zip's with bsdtar (libarchive), and a ZIP with the old ZipCrypto or a .7z of 7-Zip's with unar.
# Info-ZIP's unzip says at least "need PK compat. v5.1". So: try an archive of one's own with 7-Zip and bsdtar, and tell
# people a program that opens it; "wrong password" is no proof that it is.
#
# Needs apt packages p7zip-full (or 7zip), libarchive-tools, unar and unzip. Exits 1 when the behaviour has changed, 2 when
# it cannot be tried here.
set -eu
for program in 7z bsdtar unar unzip; do
    command -v "$program" >/dev/null || { echo "needs $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo hello >file.txt
7z a -bso0 -tzip -mem=AES256 -psecret aes.zip file.txt
7z a -bso0 -tzip -mem=ZipCrypto -psecret old.zip file.txt
opens() {
    mkdir -p "out-$1-$2"
    case $1 in
    7z) 7z e -bso0 -bse0 -psecret -o"out-$1-$2" -y "$2" ;;
    bsdtar) bsdtar --passphrase secret -xf "$2" -C "out-$1-$2" ;;
    unar) unar -quiet -force-overwrite -password secret -no-directory -output-directory "out-$1-$2" "$2" ;;
    unzip) unzip -qq -P secret -d "out-$1-$2" "$2" ;;
    esac >/dev/null 2>&1 && cmp -s file.txt "out-$1-$2/file.txt" && echo yes || echo no
}
printf '%-8s %-9s %s\n' program ZipCrypto AES-256
for program in 7z bsdtar unar unzip; do
    printf '%-8s %-9s %s\n' "$program" "$(opens "$program" old.zip)" "$(opens "$program" aes.zip)"
done
[ "$(opens bsdtar aes.zip) $(opens unar old.zip) $(opens unar aes.zip)" = "yes yes no" ]

#!/usr/bin/env bash
# prepare.sh FOLDER: Debian's kernel, v4l2loopback built for it and a first root, for boot.sh.
# Nothing of it is installed: packages are unpacked into FOLDER.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
[ -e initramfs.gz ] && exit 0

image=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ {print $2; exit}')
version=${image#linux-image-}
mapfile -t headers < <(apt-cache depends "linux-headers-$version" |
  awk '/Depends: linux-(headers|kbuild)/ {print $2}')
mkdir -p packages root
(cd packages && apt-get download -q "$image" "linux-headers-$version" "${headers[@]}" \
  v4l2loopback-dkms busybox-static >/dev/null)
for package in packages/*.deb; do dpkg-deb -x "$package" root; done

# QEMU boots the unpacked kernel: emulated, its own unpacking would take seven seconds.
python3 - "root/boot/vmlinuz-$version" vmlinux <<'PYTHON'
import lzma, sys
packed = open(sys.argv[1], "rb").read()
start = packed.find(b"\xfd7zXZ\x00")
open(sys.argv[2], "wb").write(lzma.LZMADecompressor().decompress(packed[start:]))
PYTHON

# The headers' Makefile names their common part by the path they would be installed at.
sources=$PWD/root/usr/src
common=$(echo "$sources"/linux-headers-*-common)
echo "include $common/Makefile" > "$sources/linux-headers-$version/Makefile"
build() { # build SOURCES FOLDER: v4l2loopback for the guest's kernel
  make -s -C "$sources/linux-headers-$version" M="$1" modules > build.log 2>&1 ||
    { cat build.log; exit 1; }
  mkdir -p "$2"
  strip -g -o "$2/v4l2loopback.ko" "$1/v4l2loopback.ko"
}
modules=$PWD/root/lib/modules/$version
cp -r "$sources"/v4l2loopback-* module
build "$PWD/module" "$modules/extra"
root/bin/busybox depmod -b "$PWD/root" "$version"

# Debian 13's v4l2loopback tells who watches, and 12's does not: both are tried. Lists of its own
# keep apt's as they are.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
  head -1)
mkdir -p newer/{lists,archives}/partial
touch newer/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" \
  > newer/sources.list
apt=(apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::Etc::sourcelist=$PWD/newer/sources.list" -o "Dir::State::status=$PWD/newer/status"
  -o "Dir::State::lists=$PWD/newer/lists" -o "Dir::Cache=$PWD/newer")
if "${apt[@]}" update > build.log 2>&1 &&
  (cd newer && "${apt[@]}" download v4l2loopback-dkms >> ../build.log 2>&1); then
  dpkg-deb -x newer/v4l2loopback-dkms_*.deb newer/root
  build "$(echo "$PWD"/newer/root/usr/src/v4l2loopback-*)" "$PWD/root/lib/modules/newer"
else
  cat build.log
  echo "no newer v4l2loopback: its tests are left out"
fi

# The first root: busybox and the modules that reach the host's files, in the order they load.
mkdir -p first/{bin,proc,sys,dev,lower,upper,new,modules}
cp root/bin/busybox first/bin/
cp "$here/first.sh" first/init
python3 - "$modules" first/modules virtio_pci 9pnet_virtio 9p overlay virtiofs <<'PYTHON'
import pathlib, shutil, sys
tree, out, wanted = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
lines = (line.split(":") for line in (tree / "modules.dep").read_text().splitlines())
needs = {path: needed.split() for path, needed in lines}
named = {pathlib.Path(path).name.split(".ko")[0]: path for path in needs}
order = []
def add(path):
    for needed in needs[path]:
        add(needed)
    if path not in order:
        order.append(path)
for name in wanted:
    add(named[name])
for path in order:
    shutil.copy(tree / path, out)
(out / "order").write_text("".join(f"{pathlib.Path(path).name}\n" for path in order))
PYTHON
(cd first && find . | ../root/bin/busybox cpio -o -H newc 2>/dev/null) | gzip -1 > initramfs.new
mv initramfs.new initramfs.gz

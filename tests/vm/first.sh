#!/bin/busybox sh
# The guest's first program: the host's files, read-only, under a layer that takes writes.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in $($b cat /modules/order); do $b insmod "/modules/$module"; done
for word in $($b cat /proc/cmdline); do
  case "$word" in vm.*) eval "vm_${word#vm.}" ;; esac
done
case "$vm_files" in
  virtiofs) $b mount -t virtiofs -o ro host /lower ;;
  *) $b mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=524288 host /lower ;;
esac || $b poweroff -f
$b mount -t tmpfs -o size=2g tmpfs /upper
$b mkdir -p /upper/files /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /new ||
  $b poweroff -f
for folder in proc sys dev; do $b mount --move /$folder /new/$folder; done
exec $b switch_root /new "$vm_init"

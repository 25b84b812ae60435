#!/bin/bash
# The guest's only service: mounts what programs expect, runs the command, powers off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
for word in $(cat /proc/cmdline); do case "$word" in vm.*) declare "vm_${word#vm.}" ;; esac; done
mkdir -p /dev/pts /dev/shm /run /run/lock /lib/modules /mnt/out
mount -t devpts devpts /dev/pts
for folder in /dev/shm /run; do mount -t tmpfs tmpfs $folder; done
mount --bind "$vm_root/lib/modules" /lib/modules
mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 out /mnt/out
busybox=$vm_root/bin/busybox
for tool in modprobe insmod rmmod; do ln -sf "$busybox" /sbin/$tool; done
"$busybox" ip link set lo up
bash /mnt/out/command.sh
echo $? > /mnt/out/code
sync
"$busybox" poweroff -f

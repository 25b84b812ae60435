#!/usr/bin/env bash
# boot.sh FOLDER SECONDS COMMAND...: run a command in the guest that prepare.sh made in FOLDER.
# Gives the command's exit code; 124 when the time is up, 125 when the guest died.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd) folder=$(cd "$1" && pwd) seconds=$2
shift 2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
memory=3072

# Root shares the host's files by virtiofs, three times as fast; everybody else by 9p.
if [ "$(id -u)" = 0 ] && [ -x /usr/lib/qemu/virtiofsd ]; then
  files=virtiofs socket=$(mktemp -u /dev/shm/scrim-vm.XXXXXX)
  # In a namespace of its own the host's files are read-only for the server too.
  unshare -m bash -c "mount --make-rprivate / && mount -t tmpfs tmpfs /run &&
    mount -o remount,bind,ro / && exec /usr/lib/qemu/virtiofsd --socket-path=$socket \
    -o source=/ -o cache=always -o sandbox=chroot" > "$out/virtiofsd.log" 2>&1 &
  server=$!
  trap 'kill $server 2>/dev/null; rm -rf "$out" $socket $socket.pid' EXIT
  for _ in $(seq 50); do [ -S "$socket" ] && break; sleep 0.1; done
  share=(-chardev "socket,id=files,path=$socket"
    -device vhost-user-fs-pci,chardev=files,tag=host
    -object "memory-backend-memfd,id=memory,size=${memory}M,share=on" -numa node,memdev=memory)
else
  files=9p
  share=(-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap)
fi

# KVM inside of another hypervisor may be there and hang: emulation is slow, but it ends.
processor=(-accel "tcg,thread=multi,tb-size=1024" -cpu max)
if [ -w /dev/kvm ] && ! grep -q '^flags.* hypervisor' /proc/cpuinfo; then
  processor=(-accel kvm -cpu host)
fi

# no_timer_check: where others take the processor, ticks come too late for the kernel's own check.
printf 'cd %q\nexec %s\n' "$PWD" "$(printf '%q ' "$@")" > "$out/command.sh"
timeout "$seconds" qemu-system-x86_64 "${processor[@]}" -M pc -smp 2 -m ${memory}M -nodefaults \
  -display none -no-reboot -serial stdio -kernel "$folder/vmlinux" \
  -initrd "$folder/initramfs.gz" "${share[@]}" \
  -virtfs "local,path=$out,mount_tag=out,security_model=none,multidevs=remap" \
  -device virtio-rng-pci -append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check \
random.trust_cpu=on vm.files=$files vm.root=$folder/root vm.init=$here/guest.sh" < /dev/null
ended=$?
[ -s "$out/code" ] && exit "$(cat "$out/code")"
[ $ended = 124 ] && exit 124
cat "$out/virtiofsd.log" 2>/dev/null
exit 125

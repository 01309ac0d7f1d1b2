#!/usr/bin/env bash
# Becomes systemd in namespaces of its own (by check_systemd.sh: unshare --mount --pid --fork --cgroup
# --uts --ipc), on an overlay of this machine's files that is in memory and goes with it:
#   systemd_boot.sh DIR FILES     DIR: an empty directory; FILES: laid over the root
# It is told that it is in a container, sees /sys read-only, and starts nothing by itself: no kernel
# setting is written. (/proc has to be as it is: a unit with PrivateUsers= may not mount one otherwise.)
set -e
dir=$1 files=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
cp -a "$files/." "$dir/root/"
cd "$dir/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
: >dev/console
: >etc/machine-id
rm -rf {etc,lib}/systemd/system/*.wants
mkdir -p old
pivot_root . old
umount -l /old
mount --make-rshared / # as at a real start; units see their credentials by it
exec env -i container=agon PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no

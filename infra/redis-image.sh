#!/usr/bin/env bash
# Builds a local Docker image of this machine's own redis-server and the libraries it needs. For machines whose Docker engine
# reaches no registry: the integration tests can then run in containers all the same (RELAY_REDIS_IMAGE=relay-redis:local).
#
#   infra/redis-image.sh [--force]      --force builds it again when it is already there
set -euo pipefail

image="${RELAY_REDIS_IMAGE_NAME:-relay-redis:local}"
force=no
case "${1:-}" in
  '') ;;
  --force) force=yes ;;
  *) echo "usage: $0 [--force]" >&2; exit 2 ;;
esac

fail() { echo "redis-image: $*" >&2; exit 1; }

command -v docker >/dev/null || fail 'docker is not on the PATH: apt-get install docker.io'
timeout 20 docker info >/dev/null 2>&1 || fail 'no Docker engine answers: start dockerd'
if [ "$force" = no ] && docker image inspect "$image" >/dev/null 2>&1; then
  echo "redis-image: $image is already there"
  exit 0
fi
server="$(command -v redis-server)" || fail 'redis-server is not on the PATH: apt-get install redis-server'
client="$(command -v redis-cli)" || fail 'redis-cli is not on the PATH: apt-get install redis-tools'

root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT

# Debian's redis-server is a link to redis-check-rdb; the program looks at the name it is called by.
install -D -m 0755 "$(readlink -f "$server")" "$root/usr/bin/redis-server"
install -D -m 0755 "$(readlink -f "$client")" "$root/usr/bin/redis-cli" # for health checks
# "name => /path (0x…)" and, for the loader, "/path (0x…)". Each file goes where the loader looks for it.
{ ldd "$server"; ldd "$client"; } | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | sort -u | while read -r library; do
  install -D -m 0755 "$(readlink -f "$library")" "$root$library"
done
install -d -m 1777 "$root/tmp"
install -d -m 0777 "$root/data"
install -d "$root/etc"
printf 'root:x:0:0:root:/:/none\nredis:x:999:999:redis:/data:/none\n' > "$root/etc/passwd"
printf 'root:x:0:\nredis:x:999:\n' > "$root/etc/group"

tar -C "$root" -c . | docker import \
  --change 'ENV PATH=/usr/bin' \
  --change 'WORKDIR /data' \
  --change 'EXPOSE 6379' \
  --change 'ENTRYPOINT []' \
  --change 'CMD ["redis-server", "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--save", ""]' \
  - "$image" >/dev/null

# An image that does not run is worse than none. No network is needed to say the version.
timeout 60 docker run --rm --network none "$image" redis-server --version >/dev/null || fail "$image was built but does not run"
echo "redis-image: built $image ($(du -sh "$root" | cut -f1)) from $("$server" --version | cut -d' ' -f1-3)"

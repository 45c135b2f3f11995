#!/bin/sh
# Build the image and try it without a Docker daemon: as root, with buildah and util-linux.
#
#   sh deploy/try-image.sh           # debootstrap too, where no registry can be reached
#
# The service and the node are started from the image's own files as deploy/compose.yaml starts
# them: another user, no capability, a read-only root. What a container has beyond that (cgroups,
# a network of its own) is not tried.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}"
base=docker.io/library/python:3.11-slim
port=18080

if ! buildah inspect "$base" >/dev/null 2>&1 && ! buildah pull -q "$base" 2>/dev/null; then
  echo "no registry: Debian's Python stands in for $base"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
    bookworm "$work/debian" >"$work/debootstrap.log"
  ln -s python3 "$work/debian/usr/bin/python"
  # How this machine reaches a package index.
  cp /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/"
  if [ -n "${PIP_CERT:-}" ]; then
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$work/debian/etc/pip.conf"
  fi
  container=$(buildah from scratch)
  cp -a "$work/debian/." "$(buildah mount "$container")/"
  buildah commit -q --rm "$container" "$base" >/dev/null
fi

buildah build -q --format docker --network host --pull=never -f deploy/Dockerfile -t boneage . >/dev/null
container=$(buildah from --pull=never localhost/boneage)
root=$(buildah mount "$container")
mkdir -p "$work/state" "$root/run/secrets" "$root/etc/boneage"
touch "$root/run/secrets/boneage_tokens" "$root/etc/boneage/node.toml"
chown 10001 "$work/state"

cat >"$work/inside" <<'INSIDE'
work=$1 root=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$work/state" "$root/var/lib/boneage"
[ ! -f "$work/tokens" ] || mount --bind "$work/tokens" "$root/run/secrets/boneage_tokens"
mount --bind "$work/node.toml" "$root/etc/boneage/node.toml"
mount -o remount,ro,bind "$root"
exec chroot "$root" /usr/bin/setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all env -i PATH=/opt/boneage/bin:/usr/bin:/bin \
  PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 "$@"
INSIDE
inside() { unshare --mount sh "$work/inside" "$work" "$root" "$@"; }
serving='' listening=''
end() {
  [ -z "$serving" ] || kill "$serving" 2>/dev/null || true
  [ -z "$listening" ] || kill "$listening" 2>/dev/null || true
  buildah rm "$container" >/dev/null
  rm -rf "$work"
}
trap end EXIT

cp deploy/node.compose.toml "$work/node.toml"
inside sh -c 'test "$(id -u)" = 10001 && ! touch /x 2>/dev/null'
echo "another user, nothing can be written: yes"
token=$(inside boneage token ward --tokens /var/lib/boneage/tokens | head -n 1)
mv "$work/state/tokens" "$work/tokens"
unshare --mount sh "$work/inside" "$work" "$root" boneage serve --host 127.0.0.1 --port "$port" \
  --tokens /run/secrets/boneage_tokens --audit /var/lib/boneage/audit.jsonl &
serving=$!
unshare --mount sh "$work/inside" "$work" "$root" boneage node --config /etc/boneage/node.toml &
listening=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
  inside boneage health "http://127.0.0.1:$port/readyz" 2>/dev/null && break
  sleep 2
done
curl -sf -o "$work/answer" -H "Authorization: Bearer $token" -F sex=female \
  -F film=@examples/synthetic_hand_girl.png "http://127.0.0.1:$port/v1/assessments"
grep -o '"age_text":"[^"]*"' "$work/answer"
inside boneage audit /var/lib/boneage/audit.jsonl
if command -v echoscu >/dev/null; then
  echoscu -aet ORTHANC -aec BONEAGE 127.0.0.1 11112
  echo "the node answers an echo: yes"
fi
buildah images --format '{{.Name}} {{.Size}}' | grep boneage

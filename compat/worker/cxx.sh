#!/bin/sh
# The C++ compiler $COMPAT_CXX, which makes each shared library once: the paths of a matrix
# generate the same source again and again, and g++ is not what is tested. A library is known by
# its command line and its source, both without the cache folder, which every probe has anew.
# $COMPAT_LINKER is a linker that takes less time for libtorch's symbols than the usual one.
set -u
case $1 in
  *.cpp) ;;
  *) exec "$COMPAT_CXX" "$@" ;;
esac
cache=${1%/*/*}
previous=
output=
for argument; do
  [ "$previous" = -o ] && output=$argument
  previous=$argument
done
[ -n "$output" ] || exec "$COMPAT_CXX" "$@"
key=$({ printf '%s\n' "$@"; cat "$1"; } | sed "s#$cache##g" | sha256sum | cut -c 1-64)
kept=$COMPAT_CXX_STORE/$key
if [ ! -e "$kept" ]; then
  # Of two probes that want the same library at once, one waits for what the other makes.
  [ -d "$COMPAT_CXX_STORE" ] || mkdir -p "$COMPAT_CXX_STORE"
  exec 9> "$kept.lock"
  flock 9 2> /dev/null
fi
if [ ! -e "$kept" ]; then
  "$COMPAT_CXX" ${COMPAT_LINKER:+"$COMPAT_LINKER"} "$@" || exit $?
  cp "$output" "$kept.$$" && mv "$kept.$$" "$kept"
else
  cp "$kept" "$output"
fi

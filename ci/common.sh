# Shared by the scripts of ci/: sourced, not run. Sets `root` (the checkout) and a few words to say
# things.

# shellcheck disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The script's own comment head is its help.
show_help() {
  awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
}

say() { printf '%s\n' "${0##*/}: $*" >&2; }
die() { say "$*"; exit 2; }

cores() { nproc 2>/dev/null || echo 2; }

# The scripts read other programs' output and bash's own clock, which has a decimal comma in some
# places.
export LC_ALL=C.UTF-8

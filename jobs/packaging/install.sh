#!/usr/bin/env bash
# Installs sluice, or takes it away again. `make install`, `make uninstall` and `make deb` call it.
#
#   install.sh install|uninstall PROGRAM DESTDIR PREFIX
#
# Everything goes below DESTDIR/PREFIX; job files, state and the user are the operator's (README, "Install").
set -euo pipefail
[ $# = 4 ] || { sed -n '2,7p' "$0"; exit 64; }
action=$1 program=$(realpath "$2") root=$3$4 prefix=$4
cd "$(dirname "$0")/../.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

# What the program and the schema say about themselves, written anew each time: it cannot be out of date.
"${PYTHON:-python3}" jobs/packaging/man.py "$program" "$made"
for shell in bash zsh fish; do
  # It is read by a shell, not run as a program.
  "$program" --generate-completion-script $shell | sed '1{/^#!/d}' >"$made/sluice.$shell"
done
for unit in jobs/systemd/*; do
  sed "s|/usr/local/bin/|$prefix/bin/|" "$unit" >"$made/$(basename "$unit")"
done
strip --strip-unneeded --remove-section=.comment --remove-section=.note -o "$made/sluice" "$program"

# source, place below the prefix, mode
files() {
  echo "$made/sluice bin/sluice 755"
  echo "$made/sluice.1 share/man/man1/sluice.1 644"
  echo "$made/sluice-job.5 share/man/man5/sluice-job.5 644"
  echo "$made/sluice.bash share/bash-completion/completions/sluice 644"
  echo "$made/sluice.zsh share/zsh/site-functions/_sluice 644"
  echo "$made/sluice.fish share/fish/vendor_completions.d/sluice.fish 644"
  for unit in jobs/systemd/*; do echo "$made/$(basename "$unit") lib/systemd/system/$(basename "$unit") 644"; done
  echo "jobs/packaging/sysusers.conf lib/sysusers.d/sluice.conf 644"
  for schema in schemas/*.json schemas/redshift/*; do echo "$schema share/sluice/$schema 644"; done
  for document in README.md ARCHITECTURE.md CHANGELOG.md LICENSE; do echo "$document share/doc/sluice/$document 644"; done
  find jobs -type f -not -path 'jobs/packaging/*' -not -path 'jobs/systemd/*' | LC_ALL=C sort |
    while read -r example; do echo "$example share/doc/sluice/examples/${example#jobs/} 644"; done
}

files | while read -r source place mode; do
  case $action in
    install) install -D -m "$mode" "$source" "$root/$place" ;;
    uninstall) rm -f "$root/$place" ;;
    *) echo "unknown action: $action"; exit 64 ;;
  esac
done
if [ "$action" = uninstall ]; then
  # Folders that were made for sluice alone; others that are empty now may be wanted by somebody.
  for folder in share/doc/sluice share/sluice; do
    [ ! -d "$root/$folder" ] || find "$root/$folder" -depth -type d -empty -delete
  done
fi

#!/usr/bin/env bash
# Promises: the commands that `agon help` lists, those that answer --help and those of the README's
# table are the same; each help begins with examples and fits a page; wrong use exits 2 and suggests.
set -uo pipefail
faults=0
fault() {
    echo "fault: $*"
    faults=$((faults + 1))
}

listed=$("$AGON" help | sed -n '/^Commands$/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort)
written=$(sed -n 's/^| `agon \([a-z-]*\).*/\1/p' "$SOURCE/README.md" | sort -u)
[ -n "$listed" ] || fault "'agon help' lists no commands"
[ "$listed" = "$written" ] || fault "agon help lists: $listed; README.md lists: $written"

for command in $listed; do
    text=$("$AGON" "$command" --help) || fault "agon $command --help: exit code $?"
    [ "$(head -n 1 <<<"$text")" = Examples ] || fault "agon $command --help does not begin with examples"
    grep -q "^Usage: agon $command" <<<"$text" || fault "agon $command --help shows no usage"
    [ "$(wc -l <<<"$text")" -le 40 ] || fault "agon $command --help is longer than a page"
    [ "$(wc -L <<<"$text")" -le 100 ] || fault "agon $command --help has lines over 100 columns"
    [[ "$("$AGON" help "$command")" == "$text"* ]] || fault "agon help $command differs from --help"
    "$AGON" "$command" --no-such-option >/dev/null 2>&1
    [ $? -eq 2 ] || fault "agon $command --no-such-option does not exit 2"
done

said=$("$AGON" tran 2>&1)
[ $? -eq 2 ] || fault "an unknown command does not exit 2"
grep -q "did you mean 'train'" <<<"$said" || fault "an unknown command gets no suggestion: $said"
said=$("$AGON" help train.sed 2>&1)
[ $? -eq 2 ] || fault "an unknown key does not exit 2"
grep -q "did you mean 'train.seed'" <<<"$said" || fault "an unknown key gets no suggestion: $said"

# Every key that the list names can be asked for.
while read -r key; do
    text=$("$AGON" help "$key")
    grep -q '^  default ' <<<"$text" || fault "agon help $key has no default"
done < <("$AGON" help keys | sed -n 's/^  \([a-z]*\.[a-z_0-9]*\) .*/\1/p')

for command in "help keys" games doctor version; do
    "$AGON" $command --json | python3 -c 'import json, sys; json.load(sys.stdin)' ||
        fault "agon $command --json is not JSON"
done
"$AGON" games >/dev/full 2>/dev/null
[ $? -eq 1 ] || fault "output on a full disk does not exit 1"
[[ "$("$AGON" games)" != *$'\033'* ]] || fault "colours although the output is no terminal"

echo "$(wc -w <<<"$listed") commands, $faults faults"
[ "$faults" -eq 0 ]

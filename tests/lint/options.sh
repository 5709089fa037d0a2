#!/bin/sh
# What --help says of each tool is the table it is made from. The manual, the completion and the
# configuration manual must name the same options, no more and no fewer.
# Usage: options.sh BUILD_DIRECTORY, from the root of the sources.
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# compare WHAT EXPECTED ACTUAL
compare() {
    diff -u "$2" "$3" >"$work/diff" && return
    echo "$1: other options than --help has (- missing, + unknown):"
    sed -n '1,2d; /^[-+]/p' "$work/diff"
    status=1
}

# manual FILE LIST_START: the options that are described as items.
manual() {
    sed -n 's/^\.It \(Fl .*\)/\1/p' "$1" | tr ',' '\n' | sed -n 's/.*Fl \(-*[a-zA-Z][a-z-]*\).*/-\1/p' |
        sort -u
}

# completion FUNCTION: the words of its options variable.
completion() {
    sed -n "/^$1()/,/^}/p" tools/socksify-gss/completion.bash |
        sed -n '/local options=/,/"$/p' | grep -o -- '-[-a-zA-Z]*' | sort -u
}

help() {
    "$build/$1" --help | sed -n 's/^  *\(-[-a-zA-Z, ]*\).*/\1/p' | grep -o -- '-[-a-zA-Z]*' | sort -u
}

help socksify-gss >"$work/launcher"
help socksd-gss >"$work/server"
manual man/socksify-gss.1 >"$work/manual"
compare man/socksify-gss.1 "$work/launcher" "$work/manual"
manual man/socksd-gss.8 >"$work/manual"
compare man/socksd-gss.8 "$work/server" "$work/manual"
completion _socksify_gss >"$work/completion"
compare "completion of socksify-gss" "$work/launcher" "$work/completion"
completion _socksd_gss >"$work/completion"
compare "completion of socksd-gss" "$work/server" "$work/completion"

# Keys: everything that --print-config prints. Variables: one for each option that has a key.
"$build/socksify-gss" --config= --print-config | sed -n 's/^\([a-z-]*\) =.*/\1/p' | sort >"$work/keys"
sed -n '/^\.Sh KEYS/,/^\.Sh FILES/s/^\.It Cm \([a-z-]*\)$/\1/p' man/socksify-gss.conf.5 |
    sort >"$work/manual"
compare man/socksify-gss.conf.5 "$work/keys" "$work/manual"
"$build/socksify-gss" --help | sed -n 's/^ *\[\(SOCKSIFY_[A-Z_]*\).*/\1/p' | sort >"$work/variables"
sed -n 's/^\.Pq Ev \(SOCKSIFY_[A-Z_]*\)$/\1/p' man/socksify-gss.1 | sort >"$work/manual"
compare "variables of man/socksify-gss.1" "$work/variables" "$work/manual"

# The example must load as it is, and with every commented setting active show nothing but defaults.
for text in "cat" "sed s/^#\([a-z]\)/\1/"; do
    $text tools/socksify-gss/example.conf >"$work/example"
    "$build/socksify-gss" --config="$work/example" --print-config >"$work/printed" || status=1
done
while IFS=' =' read -r key value; do
    [ "$key" = server ] && continue
    "$build/socksify-gss" --config= --print-config | grep -qF "$key = $value  # default" && continue
    echo "tools/socksify-gss/example.conf: $key = $value is not the default"
    status=1
done <<LINES
$(sed -n 's/^#\([a-z-]* = .*\)/\1/p' tools/socksify-gss/example.conf)
LINES

exit $status

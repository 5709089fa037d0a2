# bash completion for socksify-gss(1) and socksd-gss(8).

# _socksify_list "WORD..." CURRENT: completes the last item of a comma-separated list.
_socksify_list() {
    local done=""
    [[ $2 == *,* ]] && done=${2%,*},
    mapfile -t COMPREPLY < <(compgen -P "$done" -W "$1" -- "${2##*,}")
    compopt -o nospace
}

# _socksify_words "WORD..." CURRENT
_socksify_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_socksify_files() {
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
    compopt -o filenames
}

_socksify_hosts() {
    mapfile -t COMPREPLY < <(compgen -A hostname -- "$1")
    compopt -o nospace
}

# _socksify_value OPTION CURRENT: completes the value of an option; fails when it takes none.
_socksify_value() {
    case $1 in
        -s | --server) _socksify_hosts "$2" ;;
        -m | --methods) _socksify_list "gssapi ssl chap userpass none" "$2" ;;
        -p | --protection) _socksify_words "integrity confidentiality selective" "$2" ;;
        --gss-service) _socksify_list "socks rcmd" "$2" ;;
        --gss-delegate) _socksify_words "policy always never" "$2" ;;
        --ssl-method) _socksify_words "0x86 0x06 both" "$2" ;;
        --subauth) _socksify_list "userpass chap none" "$2" ;;
        --dns) _socksify_words "remote local" "$2" ;;
        --udp) _socksify_words "relay block direct" "$2" ;;
        --log) _socksify_words "error warn info debug quiet" "$2" ;;
        -c | --config | --log-file | --password-file | --tls-ca | --tls-cert | --tls-key)
            _socksify_files "$2" ;;
        -u | --user) _socksify_words "$(id -un)" "$2" ;;
        -t | --timeout | -x | --bypass | --tls-name | --tls-priority) COMPREPLY=() ;;
        *) return 1 ;;
    esac
}

_socksify_gss() {
    local options="--server --methods --protection --gss-service --gss-delegate --gss-nec
        --gss-fast-path --tls-ca --tls-cert --tls-key --tls-name --tls-priority --ssl-method --ssl-udp-naked --subauth --user --password-file
        --bypass --dns --udp --bind --no-children --timeout --config --log --log-file --check --print-config --help
        --version -s -m -p -u -x -t -c -v -q -h -V"
    local cur prev words cword
    # Lists and addresses hold '=' and ':', which bash would break words at.
    _get_comp_words_by_ref -n =: cur prev words cword

    # i: where the command starts, whose own completion takes over. Behind cword: a value is wanted.
    local i
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
            --) ((i++)) && break ;;
            --*=* | --check | --print-config | --help | --version | --gss-nec | --gss-fast-path | --ssl-udp-naked | --bind | --no-children) ;;
            -[smpuxtc] | --*) ((i++)) ;;
            -*) ;;
            *) break ;;
        esac
    done
    if ((i < cword)) || { ((i == cword)) && [[ $prev == -- || $cur != -* ]]; }; then
        _command_offset "$i"
        return
    fi

    if [[ $cur == --*=* ]]; then
        _socksify_value "${cur%%=*}" "${cur#*=}"
        return
    fi
    _socksify_value "$prev" "$cur" && return
    _socksify_words "$options" "$cur"
}

_socksd_gss() {
    local options="--listen --methods --keytab --gss-service --gss-fast-path --protection --tls-cert --tls-key
        --tls-client-ca --tls-priority --subauth --ssl-udp-naked --users --allow --deny --max-clients --connect-timeout
        --udp-from --idle-timeout --max-ports --threads --log --help --version"
    local cur prev words cword
    _get_comp_words_by_ref -n =: cur prev words cword
    local option=$prev value=$cur
    [[ $cur == --*=* ]] && option=${cur%%=*} value=${cur#*=}
    case $option in
        --listen)
            _socksify_words "0.0.0.0:1080 [::]:1080 127.0.0.1:1080" "$value"
            __ltrim_colon_completions "$value" ;;
        --methods) _socksify_list "gssapi ssl chap userpass none" "$value" ;;
        --protection) _socksify_list "integrity confidentiality" "$value" ;;
        --gss-service) _socksify_words "socks rcmd" "$value" ;;
        --gss-fast-path) _socksify_words "0 1" "$value" ;;
        --subauth) _socksify_list "userpass chap none" "$value" ;;
        --log) _socksify_words "quiet error warn info debug" "$value" ;;
        --keytab | --users | --tls-cert | --tls-key | --tls-client-ca) _socksify_files "$value" ;;
        --allow | --deny | --max-clients | --connect-timeout | --udp-from | --idle-timeout | --max-ports | --threads | \
            --tls-priority) COMPREPLY=() ;;
        *) _socksify_words "$options" "$cur" ;;
    esac
}

complete -F _socksify_gss socksify-gss
complete -F _socksd_gss socksd-gss

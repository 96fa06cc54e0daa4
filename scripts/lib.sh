# shellcheck shell=bash
# Shared by scripts/demo and scripts/test: installs what a bare Debian machine lacks, runs a private PostgreSQL and a
# private Redis, and runs commands so that a signal to the script reaches them.
#
# A "services folder" holds one PostgreSQL and one Redis: postgres/ and redis/ (data), redis.pid, *.log.

say() { printf '==> %s\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# libpq reads PGHOST, PGPORT, PGSSLMODE and others, and so does sqlx: the caller's must not lead us to another server.
unset "${!PG@}"

# ---------------------------------------------------------------------------------------------------------------------
# What must be installed

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Prints the folder of the server's and the clients' programs, which Debian keeps off PATH.
postgres_bin() {
    local dir
    while read -r dir; do
        if [[ -x $dir/initdb && -x $dir/psql ]]; then echo "$dir" && return; fi
    done < <(pg_config --bindir 2>/dev/null; printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort --reverse)
    return 1
}

# Debian's redis-server package starts and enables a system service. The same program is in redis-tools under the name
# redis-check-rdb (redis-server is a link to it), so that package is enough and no service comes with it.
redis_program() {
    command -v redis-server || command -v redis-check-rdb
}

# require_tools NAME...: cc curl jq python3 postgres redis. Installs those that are missing.
require_tools() {
    local tool packages=()
    for tool in "$@"; do
        case $tool in
            cc) have cc || packages+=(build-essential) ;;
            postgres) postgres_bin >/dev/null || packages+=(postgresql) ;;
            redis) redis_program >/dev/null || packages+=(redis-tools) ;;
            *) have "$tool" || packages+=("$tool") ;;
        esac
    done
    if ((${#packages[@]} > 0)); then apt_install "${packages[@]}"; fi
}

apt_install() {
    have apt-get || die "please install: $*"
    ((EUID == 0)) || have sudo || die "please install as root: apt-get install $*"
    say "installing $*"
    if [[ " $* " == *' postgresql '* ]]; then no_system_cluster; fi
    # apt's own words name the machine's mirror: they go to a file.
    local log
    log=$(mktemp /tmp/linli-apt.XXXXXX)
    # The package lists may be missing or old: fetch them only if it does not work without.
    apt_get install "$@" >"$log" 2>&1 ||
        { apt_get update && apt_get install "$@"; } >>"$log" 2>&1 ||
        die "could not install $*: see $log"
    rm -f "$log"
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# Debian's postgresql package makes and starts a cluster on port 5432 unless told not to.
no_system_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    if grep -qs '^create_main_cluster = false' "$conf"; then return; fi
    as_root mkdir -p "${conf%/*}"
    echo 'create_main_cluster = false' | as_root tee -a "$conf" >/dev/null
}

require_cargo() {
    have cargo || PATH=$HOME/.cargo/bin:$PATH
    have cargo || die 'cargo is missing: install Rust (https://rustup.rs)'
}

# ---------------------------------------------------------------------------------------------------------------------
# Commands that may take long

child=    # process group of the command that runs now
starting= # set while services start
stopped=  # exit status owed to a signal, once one came

# Waits like a plain command, but bash acts on a signal at once instead of after the command. The command gets a process
# group of its own: one signal reaches it, once, whether it came from Ctrl-C or from kill.
run_child() {
    local status=0
    set -m
    "$@" </dev/null 9>&- &
    child=$!
    set +m
    wait "$child" || status=$?
    # A trapped signal ends `wait` early; the command may still be tidying up.
    while kill -0 "$child" 2>/dev/null; do
        status=0
        wait "$child" || status=$?
    done
    child=
    return "$status"
}

on_signal() { # name, exit status
    stopped=$2
    if [[ -n $starting ]]; then return 0; fi
    if [[ -z $child ]]; then exit "$stopped"; fi
    kill "-$1" -- "-$child" 2>/dev/null || true
}

# on_stop FUNCTION: calls it once however the script ends, short of kill -9.
on_stop() {
    # shellcheck disable=SC2064 # the function's name is put in now
    trap "trap '' INT TERM HUP; $1" EXIT # an impatient second Ctrl-C must not cut it short
    trap 'on_signal INT 130' INT
    trap 'on_signal TERM 143' TERM
    trap 'on_signal TERM 129' HUP
}

# ---------------------------------------------------------------------------------------------------------------------
# Private services

# Words before a command that must not run as root: PostgreSQL refuses to, and a Redis without a password should not.
# setpriv becomes the command (runuser would stay as its parent), so that $! is the service itself.
unprivileged=()
set_unprivileged() {
    # Not a bare `return`: in a trap that repeats the status the script ends with.
    if ((EUID != 0)); then return 0; fi
    service_user=nobody
    if id postgres >/dev/null 2>&1; then service_user=postgres; fi
    unprivileged=(setpriv --reuid="$service_user" --regid="$(id -g "$service_user")" --init-groups --)
}

# A port that nobody listens on now, below those that the kernel gives to outgoing connections. Another process may
# still be quicker, so those who bind it try again with another one.
free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 12000))
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# Both services work in their data folder, so this tells ours from a stranger who got the number of a dead one.
works_in() { # process, folder
    [[ $("${unprivileged[@]}" readlink "/proc/$1/cwd" 2>/dev/null) == "$2" ]]
}

own_folder() {
    mkdir -p "$1"
    if ((EUID == 0)); then chown "$service_user:" "$1"; fi
    chmod 700 "$1"
}

# start_services FOLDER volatile|durable: sets postgres_port and redis_port. FOLDER is a path without symbolic links.
# Volatile ones are for tests: quick, and worthless after a crash.
start_services() {
    local folder=$1
    # A signal waits until everything has written its pid file; a Ctrl-C does not reach what starts (setsid).
    starting=yes
    set_unprivileged
    mkdir -p "$folder"
    chmod 755 "$folder" # the service user must get through to its folders
    own_folder "$folder/postgres"
    own_folder "$folder/redis"
    start_postgres "$folder" "$2"
    start_redis "$folder" "$2"
    starting=
    if [[ -n $stopped ]]; then exit "$stopped"; fi
}

start_postgres() {
    local folder=$1 data=$1/postgres/data log=$1/postgres/server.log bin sync=() tries
    bin=$(postgres_bin) || die 'PostgreSQL is missing'
    if [[ ! -d $data ]]; then
        if [[ $2 == volatile ]]; then sync=(--no-sync); fi
        # Made under another name first, so that an interrupted initdb leaves nothing that looks complete.
        rm -rf "$data.new"
        (cd / && "${unprivileged[@]}" setsid --wait "$bin/initdb" --pgdata="$data.new" --username=postgres \
            --auth=trust --encoding=UTF8 --locale=C.UTF-8 "${sync[@]}" >"$folder/initdb.log" 2>&1) ||
            die "initdb failed: $(tail -n 5 "$folder/initdb.log")"
        mv "$data.new" "$data"
    fi
    for tries in {1..5}; do
        postgres_port=$(free_port)
        postgres_conf "$folder" "$2" >"$data/postgresql.conf"
        if (cd / && "${unprivileged[@]}" setsid --wait "$bin/pg_ctl" start --wait --timeout=60 --pgdata="$data" \
            --log="$log") >/dev/null 2>&1 9>&-; then return; fi
        say "PostgreSQL did not start on port $postgres_port (try $tries)"
    done
    die "PostgreSQL did not start: $(tail -n 5 "$log")"
}

# All of our settings; the file that initdb wrote is mostly comments.
postgres_conf() {
    local folder=$1/postgres socket=$1/postgres
    # The address of a Unix socket has room for 107 bytes, of which the file name takes 20. 127.0.0.1 serves anyway.
    if ((${#socket} > 85)); then socket=; fi
    cat <<CONF
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = '${socket//\'/\'\'}'
max_connections = 400
timezone = 'UTC'
log_timezone = 'UTC'
CONF
    if [[ $2 == volatile ]]; then
        printf '%s = off\n' fsync synchronous_commit full_page_writes
    fi
}

start_redis() {
    local folder=$1 program tries waited pid appendonly=no
    program=$(redis_program) || die 'Redis is missing'
    # Which of its tools it is, it tells by the name that it is called by.
    ln -sf "$program" "$folder/redis-server"
    if [[ $2 == durable ]]; then appendonly=yes; fi
    for tries in {1..5}; do
        redis_port=$(free_port)
        : >"$folder/redis.log"
        "${unprivileged[@]}" setsid "$folder/redis-server" --bind 127.0.0.1 --port "$redis_port" --dir "$folder/redis" \
            --save '' --appendonly "$appendonly" --daemonize no </dev/null >"$folder/redis.log" 2>&1 9>&- &
        pid=$!
        echo "$pid" >"$folder/redis.pid"
        for ((waited = 0; waited < 300; waited++)); do
            # It says so itself: another server may be the one that answers on the port.
            if grep -q 'Ready to accept connections' "$folder/redis.log"; then return; fi
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        say "Redis did not start on port $redis_port (try $tries)"
    done
    die "Redis did not start: $(tail -n 5 "$folder/redis.log")"
}

# stop_services FOLDER: also stops what a killed run left behind there.
stop_services() {
    set_unprivileged
    stop_process "$1/postgres/data/postmaster.pid" "$1/postgres/data" INT QUIT # a fast shutdown, then an immediate one
    stop_process "$1/redis.pid" "$1/redis" TERM KILL
}

stop_process() { # pid file, folder, signal, signal if that does not help in 20 seconds
    local pid waited
    pid=$(head -n 1 "$1" 2>/dev/null) || return 0
    for ((waited = 0; waited < 300; waited++)); do
        works_in "$pid" "$2" || return 0
        if ((waited == 0)); then kill "-$3" "$pid" 2>/dev/null || true; fi
        if ((waited == 200)); then kill "-$4" "$pid" 2>/dev/null || true; fi
        sleep 0.1
    done
    say "process $pid ($2) does not stop"
}

"""How a script starts, treats and ends the server, and performs the clients, as text; see `client_helpers`."""

from __future__ import annotations

TEXT = r'''
process = None  # the server, where it is started here

clients_may_begin = threading.Event()


def free_port():
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def command():
    values = {"host": HOST, "port": str(PORT), "python": sys.executable, "dir": FOLDER}
    return [re.sub(r"\{(host|port|python|dir)\}", lambda found: values[found[1]], word) for word in COMMAND]


def start_server(ready):
    """Start COMMAND in a session of its own, and wait until it is ready."""
    global process
    words = command()
    try:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True)
    except OSError as error:
        raise Untried("cannot start %s: %s" % (words[0], error))
    deadline = time.monotonic() + READY_WITHIN
    while not ready():
        if process.poll():
            raise Untried("the server ended with status %d before it listened" % process.returncode)
        if time.monotonic() > deadline:
            raise Untried("the server does not listen after %g s" % READY_WITHIN)
        time.sleep(0.01)


def start_again():
    """The same command, at the same address."""
    if members():
        raise Untried("the server is still running")
    try:
        start_server(listening)
    except Untried as error:
        raise Fault("the server could not be started again: %s" % error)


def start_second(within):
    """COMMAND once more: its address is taken, so it ends by itself, not with status 0, and says why."""
    second = subprocess.Popen(
        command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        output = second.communicate(timeout=within)[0]
    except subprocess.TimeoutExpired:
        raise Fault("started once more at an address that is taken, the server did not end")
    finally:
        try:
            os.killpg(second.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if second.returncode == 0 or not output.strip():
        came = "status %d, and it wrote %r" % (second.returncode, output)
        raise Fault("started once more at an address that is taken", "a status other than 0, and the reason", came)


def stop_server():
    """End every process of the server."""
    if process is None:
        return
    for number, patience in ((signal.SIGCONT, 0), (signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        deadline = time.monotonic() + patience
        signal_all(number)
        while members() and time.monotonic() < deadline:
            time.sleep(0.01)


def listen_table():
    """The kernel's listening sockets: the fields of their rows in /proc/net/tcp. See proc(5)."""
    rows = []
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name) as table:
                rows += [row.split() for row in list(table)[1:]]
        except OSError:
            pass
    return [row for row in rows if row[3] == "0A"]


def listening():
    """Whether somebody listens on PORT. No connection is made where /proc tells, since the server would see it."""
    if os.path.exists("/proc/net/tcp"):
        return any(int(row[1].rpartition(":")[2], 16) == PORT for row in listen_table())
    try:
        socket.create_connection((HOST, PORT), timeout=1).close()
    except OSError:
        return False
    return True


def look_for_server():
    """Somebody listens at HOST and PORT. Here the kernel tells; of another machine only a connection can."""
    if os.path.exists("/proc/net/tcp") and listening():
        return
    try:
        socket.create_connection((HOST, PORT), timeout=5).close()
    except OSError as error:
        raise Untried("no server at %s port %s: %s" % (HOST, PORT, error))


def find_port():
    """Learn from the kernel where the server listens: its command does not take a port."""
    global PORT
    files = set()
    for pid in members():
        try:
            for number in os.listdir("/proc/%d/fd" % pid):
                files.add(os.readlink("/proc/%d/fd/%s" % (pid, number)))
        except OSError:
            pass
    ports = [int(row[1].rpartition(":")[2], 16) for row in listen_table() if "socket:[%s]" % row[9] in files]
    if ports and PORT not in ports:
        PORT = min(ports)
    return bool(ports)


def stats():
    """Of each process of the server its number and the fields of /proc/PID/stat behind its name. See proc(5)."""
    process.poll()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid, errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == process.pid:
            found.append((int(pid), fields))
    return found


def members():
    """The processes of the server that are not dead."""
    return [pid for pid, fields in stats() if fields[0] not in "ZX"]


def signal_all(number):
    for pid in members():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def pause_server():
    signal_all(signal.SIGSTOP)
    while any(fields[0] not in "TtZX" for _, fields in stats()):
        time.sleep(0.01)


def kill_server():
    while members():
        signal_all(signal.SIGKILL)
        time.sleep(0.01)


def limit_files(files, least):
    """Let the server have so many more descriptors than it has, or so many at the least."""
    for pid in members():
        try:
            soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            allowed = max(soft, files) if least else len(os.listdir("/proc/%d/fd" % pid)) + files
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (allowed, max(hard, allowed)))
        except (ProcessLookupError, FileNotFoundError):
            pass  # It has just ended.


def expect_exit(statuses, within):
    """No process of the server is left, and the first ended with one of these: a status, or minus a signal."""
    deadline = time.monotonic() + within
    while members():
        if time.monotonic() > deadline:
            raise Fault("the server did not end within %g s" % within)
        time.sleep(0.01)
    status = process.wait()
    if statuses and status not in statuses:
        raise Fault("the server ended otherwise", "one of %r" % (statuses,), status)


def check(text, holds, within):
    """It is so, or comes to be so."""
    deadline = time.monotonic() + within
    while not holds():
        clients_may_begin.set()
        if time.monotonic() > deadline:
            raise Fault("a figure of the server, after %g s" % within, text, "it is not so")
        time.sleep(0.01)


def queue():
    """How many connections wait to be accepted."""
    rows = [row for row in listen_table() if int(row[1].rpartition(":")[2], 16) == PORT]
    return sum(int(row[4].partition(":")[2], 16) for row in rows)


def open_files():
    return sum(len(os.listdir("/proc/%d/fd" % pid)) for pid in members())


def threads():
    return sum(len(os.listdir("/proc/%d/task" % pid)) for pid in members())


def children():
    """All processes but one, also those that are dead and not waited for."""
    return max(0, len(stats()) - 1)


def cpu():
    """Seconds of CPU time that the server has used."""
    return sum(int(field) for _, fields in stats() for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def cpu_awaited():
    """Seconds for which threads of the server were ready to run, and had to wait for a CPU."""
    waited = 0
    for pid in members():
        for thread in os.listdir("/proc/%d/task" % pid):
            try:
                with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as file:
                    waited += int(file.read().split()[1])
            except OSError:
                pass
    return waited / 1e9


def memory():
    """MiB that the server has. See proc(5): Pss."""
    total = 0
    for pid in members():
        with open("/proc/%d/smaps_rollup" % pid) as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return total / 1024


def allow_many_files():
    """The server inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(function, name, *arguments):
    """One client, or the steps of the server; the first fault ends all."""
    try:
        function(*arguments)
    except Over:
        pass
    except Exception as error:
        places = [row for row in traceback.extract_tb(error.__traceback__) if row.name == function.__name__]
        faults.append((error, name, places if name else []))
        for mark in MARKS.values():
            mark.set()
        for meeting in MEETINGS.values():
            meeting.abort()


def perform(clients, steps=None, marks=(), meetings=(), limit=30):
    """All clients at once, and the steps of the server; no longer than `limit` seconds."""
    del faults[:]
    MARKS.update((name, threading.Event()) for name in marks)
    MEETINGS.update((name, threading.Barrier(parties)) for name, parties in meetings)
    started = []
    clients_may_begin.clear()
    if steps:
        started.append(threading.Thread(target=run, args=(steps, "server"), daemon=True))
        started[0].start()
        clients_may_begin.wait(limit)
    for function, name, *arguments in clients:
        started.append(threading.Thread(target=run, args=(function, name, Client(name), *arguments), daemon=True))
        started[-1].start()
    deadline = time.monotonic() + limit
    for thread in started:
        thread.join(max(0, deadline - time.monotonic()))
    if not faults and any(thread.is_alive() for thread in started):
        faults.append((Fault("all was not over after %g s" % limit), "", []))


def look_after_server():
    """The server still runs, and a new client can connect."""
    time.sleep(0.5)
    for attempt in range(20):
        if process is not None and process.poll() not in (None, 0):
            break
        try:
            socket.create_connection((HOST, PORT), timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    if process is not None and process.poll() is not None:
        raise Fault("the server is gone: it ended with status %d" % process.returncode)
    raise Fault("the server listens no more")


def look_for_leaks(exchange, connections):
    """What each of so many connections of the exchange used is given back when it ends."""
    times = 40 // connections + 1
    figures = []
    for repeated in range(2):
        for _ in range(times):
            exchange()
        time.sleep(0.5)
        figures.append((open_files(), threads(), children()))
    for what, before, after in zip(("descriptors", "threads", "children"), *figures):
        if after - before >= 0.5 * times * connections:
            raise Fault("the server keeps %s: %d more after %d more exchanges" % (what, after - before, times))


def look_for_spinning():
    """With nothing to do, the server uses no CPU."""
    time.sleep(0.5)
    before, began = cpu() + cpu_awaited(), time.monotonic()
    time.sleep(2)
    share = (cpu() + cpu_awaited() - before) / (time.monotonic() - began)
    if share > 0.5:
        raise Fault("with nothing to do, the server uses, or waits for, %d %% of a CPU" % (100 * share))


def tell():
    """What was seen; the exit status."""
    if not faults:
        print("not reproduced: all came as expected, and the server goes on serving")
        return 0
    error, name, places = faults[0]
    if not isinstance(error, Fault):
        print("not tried: %s: %s" % (name or "server", error), file=sys.stderr)
        return 2
    print("reproduced: " + (name + ": " if name else "") + str(error.args[0]))
    for place in places:
        print("  step:     line %s of this script: %s" % (place.lineno, place.line))
    for label, said in zip(("expected", "came"), error.args[1:]):
        print("  %-9s %s" % (label + ":", said))
    if process is not None:
        time.sleep(0.2)
        if process.poll() is not None:
            print("  the server has ended, with status %d" % process.returncode)
    return 1
'''

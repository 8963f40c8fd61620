"""What the expectations and the data of a script are made of, as text; see `client_helpers`."""

from __future__ import annotations

TEXT = r'''
class Mismatch(Exception):
    """What came is not what was expected."""


Form = collections.namedtuple("Form", "wanted match")
# match(came): None while more must come; else how many bytes it takes, and what is captured from them.

Unwanted = collections.namedtuple("Unwanted", "wanted found")


def exact(data):
    """Exactly these bytes."""

    def match(came):
        if came.startswith(data):
            return len(data), {}
        if data.startswith(came):
            return None
        same = next(i for i, (one, other) in enumerate(zip(data, came)) if one != other)
        near = slice(max(0, same - 20), same + 40)
        if same < 40 and len(data) <= 80:
            raise Mismatch("byte %d differs" % same)
        raise Mismatch("byte %d differs: %r was due, %r came" % (same, data[near], bytes(came[near])))

    return Form(short(data), match)


def line(pattern, ends="any"):
    """A line that matches as a whole, without its ending: \n, or \r\n ("lf", "crlf": only that)."""

    def match(came):
        end = came.find(b"\n") + 1
        if not end:
            too_long(came)
            return None
        crlf = came.endswith(b"\r\n", 0, end)
        found = re.fullmatch(pattern, bytes(came[: end - (2 if crlf else 1)]))
        if not found or ends == ("lf" if crlf else "crlf"):
            raise Mismatch("the line does not match" if not found else "the line ends otherwise")
        return end, captured(found)

    return Form("a line that matches %r%s" % (pattern, "" if ends == "any" else ", ending in " + ends), match)


def lines(pattern, last, ends="any"):
    """Lines that match, up to and with one that matches `last`."""
    forms = (line(last, ends), line(pattern, ends))

    def match(came):
        taken, captures = 0, {}
        while True:
            for form in forms:
                try:
                    found = form.match(came[taken:])
                    break
                except Mismatch as error:
                    mismatch = error
            else:
                raise mismatch
            if found is None:
                return None
            taken += found[0]
            captures.update(found[1])
            if form is forms[0]:
                return taken, captures

    return Form("lines that match %r, and a last one that matches %r" % (pattern, last), match)


def until(delimiter, *patterns):
    """All up to and with the delimiter; each pattern is found in it."""

    def match(came):
        end = came.find(delimiter)
        if end < 0:
            too_long(came)
            return None
        end += len(delimiter)
        return end, found_in(bytes(came[:end]), patterns)

    return Form("everything up to %r %s" % (delimiter, "".join(" with %r" % each for each in patterns)), match)


def count(size, sha256=None):
    """So many bytes, with this digest."""

    def match(came):
        if len(came) < size:
            return None
        digest = hashlib.sha256(came[:size]).hexdigest()
        if sha256 and digest != sha256:
            raise Mismatch("the SHA-256 differs: it is " + digest)
        return size, {}

    return Form("%d bytes%s" % (size, " with the SHA-256 " + sha256 if sha256 else ""), match)


def frame(width, order, *patterns):
    """A length in so many bytes, "big" or "little" end first, and as many bytes; each pattern is found in them."""

    def match(came):
        end = width + int.from_bytes(came[:width], order)
        if len(came) < width or len(came) < end:
            return None
        return end, found_in(bytes(came[width:end]), patterns)

    return Form("a frame%s" % "".join(" with %r" % each for each in patterns), match)


def first_of(forms, came):
    """Which of them is complete with the fewest bytes, and what it found; None while more must come."""
    complete, waits = [], False
    for form in forms:
        try:
            found = form.match(came)
        except Mismatch:
            continue
        if found is None:
            waits = True
        else:
            complete.append((form, found))
    if complete:
        return min(complete, key=lambda each: each[1][0])
    if waits:
        return None
    raise Mismatch("it is none of them")


def any_of(*forms):
    """One of these."""

    def match(came):
        found = first_of(forms, came)
        return found and found[1]

    return Form("one of: " + "; ".join(form.wanted for form in forms), match)


def unordered(*forms):
    """All of these, in any order."""

    def match(came):
        missing, taken, captures = list(forms), 0, {}
        while missing:
            found = first_of(missing, came[taken:])
            if found is None:
                return None
            missing.remove(found[0])
            taken += found[1][0]
            captures.update(found[1][1])
        return taken, captures

    return Form("in any order: " + "; ".join(form.wanted for form in forms), match)


def data_anywhere(data):
    return Unwanted(short(data), lambda came: data in came)


def line_anywhere(pattern, ends="any"):
    form = line(pattern, ends)

    def found(came):
        for one in bytes(came).splitlines(True):
            try:
                if one.endswith(b"\n") and form.match(one):
                    return True
            except Mismatch:
                pass
        return False

    return Unwanted(form.wanted, found)


def captured(found):
    return {name: group for name, group in found.groupdict().items() if group is not None}


def found_in(data, patterns):
    captures = {}
    for pattern in patterns:
        found = re.search(pattern, data)
        if not found:
            raise Mismatch("%r is not found in it" % pattern)
        captures.update(captured(found))
    return captures


def too_long(came):
    if len(came) > 65536:
        raise Mismatch("no end of it within 65536 bytes")


def value(c, name):
    """What was captured by this name."""
    if name not in c.values:
        raise Untried("nothing was captured as %s yet" % name)
    return c.values[name]


def random_bytes(size, seed):
    """The same on every machine."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


def repeated(data, size):
    return (data * (size // len(data) + 1))[:size]


def integer(digits, width, order):
    return int(digits).to_bytes(width, order)


def framed(width, order, data):
    """Behind its length."""
    return len(data).to_bytes(width, order) + data


def cut(data, *positions):
    """The segments of `data` between these positions."""
    return [data[begin:end] for begin, end in zip((0,) + positions, positions + (len(data),))]


def cut_everywhere(data):
    return [data[i : i + 1] for i in range(len(data))]
'''

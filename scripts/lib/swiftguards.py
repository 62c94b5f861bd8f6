"""Finds the guards of Swift sources and makes them removable: see scripts/guards.

Text in, text out; no parser, but strings and comments are known, and brackets are counted.
"""

import re

OPEN, CLOSE = "([{", ")]}"
REFUSAL = re.compile(
    r"throw\b|return nil\b|return false\b|return \.(?!valid)[a-z]|(\w+\.)*(problems|refusals|odd)\.append\b"
    r"|(\w+\.)*problem = |(\w+\.)*outcome = \.failed\b")
CHECK_CALL = re.compile(r"try (\w+\.)*(check\w*|refuseOthers|enter|requireSignatures)\(")
BINDING = re.compile(r"(let|var|case)\b|#available")


def mask(source):
    """The source with comments blanked out and strings replaced by plain characters, at the same length."""
    out = list(source)

    def fill(start, end, character):
        for index in range(start, end):
            if out[index] != "\n":
                out[index] = character

    def string(start):
        """The end of the string literal that begins here, interpolations and all."""
        quotes = '"""' if source.startswith('"""', start) else '"'
        index = start + len(quotes)
        while not source.startswith(quotes, index):
            if source.startswith("\\(", index):
                depth, index = 1, index + 2
                while depth:
                    if source[index] == '"':
                        index = string(index)
                        continue
                    depth += {"(": 1, ")": -1}.get(source[index], 0)
                    index += 1
            else:
                index += 2 if source[index] == "\\" else 1
        return index + len(quotes)

    index = 0
    while index < len(source):
        if source.startswith("//", index):
            end = source.find("\n", index)
            end = len(source) if end < 0 else end
        elif source.startswith("/*", index):
            end = source.index("*/", index) + 2
        elif source[index] == '"':
            end = string(index)
        else:
            index += 1
            continue
        fill(index, end, "_" if source[index] == '"' else " ")
        index = end
    return "".join(out)


def find(masked, start, stops):
    """The first of `stops` (characters or words) outside all brackets that open behind `start`; its position."""
    depth = 0
    for index in range(start, len(masked)):
        character = masked[index]
        if depth == 0:
            for stop in stops:
                if masked.startswith(stop, index) and (
                    not stop.isalpha() or not (masked[index - 1].isalnum() or masked[index + len(stop)].isalnum())):
                    return index
        if character in OPEN:
            depth += 1
        elif character in CLOSE:
            depth -= 1
            if depth < 0:
                return index
    return len(masked)


def closing(masked, start):
    """Behind the bracket that closes the one at `start`."""
    depth = 0
    for index in range(start, len(masked)):
        depth += (masked[index] in OPEN) - (masked[index] in CLOSE)
        if depth == 0:
            return index + 1
    raise ValueError("a bracket is never closed")


def parts(masked, start, end, separator):
    """The pieces between separators outside brackets, as ranges without the blanks around them."""
    found, position = [], start
    while position <= end:
        stop = min(find(masked, position, [separator]), end)
        piece = masked[position:stop]
        found.append((position + len(piece) - len(piece.lstrip()), position + len(piece.rstrip())))
        position = stop + len(separator)
    return found


def statement_end(masked, start):
    """The end of the statement: a line end outside brackets, unless the next line goes on."""
    position = start
    while True:
        end = find(masked, position, ["\n", ";"])
        if end >= len(masked) or masked[end] != "\n":
            return end
        if not re.match(r"\s*(\.\w|&&|\|\||\?|:|[-+*/<>=!]=? )", masked[end:]):
            return end
        position = end + 1


class Guards:
    """The guards of one file, each with its line and text, and the edits that make them removable."""

    def __init__(self, source, first_number):
        self.source, self.masked = source, mask(source)
        self.number = first_number
        self.found = []  # (number, position, text)
        self.fixed = []  # (position, text, why)
        self.edits = []  # (position, end, replacement): a replacement of nothing inserts
        self.guards()
        self.ifs()
        self.loops()
        self.calls()
        self.returns()
        self.cases()

    def text(self, start, end):
        return " ".join(self.source[start:end].split())

    def line(self, position):
        return self.source.count("\n", 0, position) + 1

    def take(self, position, text):
        self.found.append((self.number, position, text))
        self.number += 1
        return self.number - 1

    def always(self, start, end):
        """Makes a condition true where its number is removed."""
        operands = parts(self.masked, start, end, "&&")
        attempt = self.source[start:end].startswith("try ")
        if len(operands) > 1 and not attempt and len(parts(self.masked, start, end, "||")) == 1:
            for low, high in operands:
                number = self.take(low, self.text(low, high))
                self.edits += [(low, low, f"(gone({number}) ? true : ("), (high, high, "))")]
            return
        number = self.take(start, self.text(start, end))
        low = start + 4 if attempt else start
        self.edits += [(low, low, f"(gone({number}) ? true : ("), (end, end, "))")]

    def guards(self):
        for match in re.finditer(r"\bguard\b", self.masked):
            start = match.end() + 1
            end = find(self.masked, start, ["else"])
            for low, high in parts(self.masked, start, end, ","):
                if BINDING.match(self.masked[low:high]):
                    self.fixed.append((low, "guard " + self.text(low, high), "what follows needs what it binds"))
                else:
                    self.always(low, high)

    def ifs(self):
        for match in re.finditer(r"\bif\b", self.masked):
            start = match.end() + 1
            body = find(self.masked, start, ["{"])
            if REFUSAL.match(self.masked[body + 1:].lstrip()):
                number = self.take(match.start(), self.text(match.start(), body))
                self.edits.append((start, start, f"!gone({number}), "))

    def loops(self):
        for match in re.finditer(r"\bfor\b[^{\n]*?\bwhere\b", self.masked):
            start = match.end() + 1
            body = find(self.masked, start, ["{"])
            if REFUSAL.match(self.masked[body + 1:].lstrip()) and self.masked[start:start + 4] != "case":
                number = self.take(start, self.text(match.start(), body))
                low = start + 4 if self.source.startswith("try ", start) else start
                high = start + len(self.masked[start:body].rstrip())
                self.edits += [(low, low, f"(gone({number}) ? false : ("), (high, high, "))")]

    def calls(self):
        for match in re.finditer(r"(?m)^ *(?=try )", self.masked):
            start = match.end()
            end = statement_end(self.masked, start)
            if CHECK_CALL.match(self.masked[start:]) or self.masked[start:end].rstrip().endswith(")") and re.search(
                    r"\n *\.refuseOthers\(", self.masked[start:end]):
                number = self.take(start, self.text(start, end))
                self.edits += [(start, start, f"if !gone({number}) {{ "), (end, end, " }")]

    def returns(self):
        for match in re.finditer(r"\breturn\b", self.masked):
            start = match.end() + 1
            end = min(statement_end(self.masked, start), find(self.masked, start, ["}"]))
            operands = parts(self.masked, start, end, "&&")
            if len(operands) < 2 or "?" in self.masked[start:end] or len(parts(self.masked, start, end, "||")) > 1:
                continue
            for low, high in operands:
                number = self.take(low, self.text(low, high))
                self.edits += [(low, low, f"(gone({number}) ? true : ("), (high, high, "))")]

    def cases(self):
        for match in re.finditer(r"\b(case [^:\n]*|default):\s*throw\b", self.masked):
            text = self.text(match.start(), statement_end(self.masked, match.end()))
            self.fixed.append((match.start(), text, "a switch has to do something here"))

    def removable(self):
        """The source in which `gone(NUMBER)` takes each guard away."""
        source = self.source
        # Inner edits first where two begin in one place: openings nest, and so do closings.
        order = sorted(range(len(self.edits)), key=lambda index: (self.edits[index][0], index))
        result, position = [], 0
        for index in order:
            start, end, text = self.edits[index]
            result += [source[position:start], text]
            position = end
        return "".join(result) + source[position:]

"""What a destination must hold after the first n operations of the ledger (ledger/ledger.cc): the
reference of the crash suites, written from the ledger's description and not from its code."""

MASK = (1 << 64) - 1
MOVED = 1_000_000
TABLES = ("events", "accounts", "measures", "moves")


def mix(seed, position):
    bits = (seed * 0x9E3779B97F4A7C15 + position + 1) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


class LedgerModel:
    """Rows by key after each operation. Grows forwards only; cheap to ask again."""

    def __init__(self, rows, seed, accounts=50, dead_letters=False):
        self.rows = rows
        self.seed = seed
        self.accounts = accounts
        self.dead_letters = dead_letters
        self._snapshots = {}

    def operations(self, position):
        """How many changes the first `position` operations are (Invariant I5 counts each once)."""
        measures = (position + 4) // 5
        moves = (position + 19) // 20 + (position + 9) // 20
        letters = (position + 46) // 97 if self.dead_letters else 0
        truncate = 1 if position > self.rows // 2 else 0
        return 3 * position + measures + moves + letters + truncate

    def letters(self, position):
        return (position + 46) // 97 if self.dead_letters else 0

    def at(self, position):
        """{table: {key: row}} of the tables that are exact at every moment."""
        if position not in self._snapshots:
            if len(self._snapshots) > 200:
                self._snapshots.clear()
            self._snapshots[position] = self._replay(position)
        return self._snapshots[position]

    def _replay(self, position):
        events, accounts, measures, moves = {}, {}, {}, {}
        for p in range(position):
            bits = mix(self.seed, p)
            events[p] = ("%016x" % bits,)
            key = bits % self.accounts
            if p % 11 == 5:
                accounts.pop(key, None)
            elif p % 7 == 3:
                if key in accounts:
                    accounts[key] = (p, accounts[key][1])
            else:
                accounts[key] = (p, f"of {p}")
            if p % 5 == 0:
                third = p * 3 // self.rows
                value = (float(p), p + 0.5, f"text {p}")[third]
                measures[p] = (value, value)
            if p % 20 == 0:
                moves[p] = (p,)
            elif p % 20 == 10:
                moves.pop(p - 10, None)
                moves[MOVED + p - 10] = (p,)
        return {"events": events, "accounts": accounts, "measures": measures, "moves": moves}

    def drafts(self, position):
        """What must stand in drafts; before the sync has ended well, more may."""
        half = self.rows // 2
        if position <= half:
            return {p: (p,) for p in range(position)}
        return {p - half: (p,) for p in range(half, position)}

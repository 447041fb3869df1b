"""What somebody could write in the place of the two functions; a bandit chooses among it without a model."""

REASON = (
    """
def reason(seen):
    places = []
    for row in range(len(seen)):
        for column in range(len(seen)):
            if seen[row][column] == ".":
                places.append([row, column])
    return places
""",
    """
def reason(seen):
    places = []
    for row in range(len(seen)):
        for column in range(len(seen)):
            if seen[row][column] == "." and (row + column) % 2 == 0:
                places.append([row, column])
    return places
""",
    """
def reason(seen):
    size = len(seen)
    near, others = [], []
    for row in range(size):
        for column in range(size):
            if seen[row][column] != ".":
                continue
            around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
            hit = [1 for r, c in around if 0 <= r < size and 0 <= c < size and seen[r][c] == "X"]
            if hit:
                near.append([row, column])
            elif (row + column) % 2 == 0:
                others.append([row, column])
    return near or others
""",
)
"""All that is unknown; every other square of it; what is next to a hit, else every other square."""

ACT = (
    """
def act(seen, places):
    return places[len(places) // 2] if places else [0, 0]
""",
    """
def act(seen, places):
    size = len(seen)
    best, most = [0, 0], -1
    for row, column in places:
        free = 0
        for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            r, c = row + down, column + right
            while 0 <= r < size and 0 <= c < size and seen[r][c] == ".":
                free += 1
                r, c = r + down, c + right
            if 0 <= r < size and 0 <= c < size and seen[r][c] == "X":
                free += 4
                r, c = r + down, c + right
                if 0 <= r < size and 0 <= c < size and seen[r][c] == "X":
                    free += 12
        if free > most:
            best, most = [row, column], free
    return best
""",
)
"""The one in the middle; the one with most room, rather where hits are next to it, rather still in their line."""

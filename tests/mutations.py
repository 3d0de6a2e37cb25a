"""Files that are almost valid, for property tests of what reads files."""

from hypothesis import strategies as st


def mutated(content: bytes) -> st.SearchStrategy[bytes]:
    """Files a few edits away from a valid one."""
    place = st.integers(0, len(content))
    edits = st.lists(st.tuples(place, st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=3)

    def edit(edits: list[tuple[int, int, bytes]]) -> bytes:
        changed = content
        for start, gone, new in edits:
            changed = changed[:start] + new + changed[start + gone :]
        return changed

    return edits.map(edit) | place.map(lambda end: content[:end]) | st.binary(max_size=60)

"""Values as errors show them: in short, whatever they are."""


def shown(value: object, most: int = 80) -> str:
    """What `repr` says of it, cut; in words where that fails: it is nested too deep, or has a `repr` of its own."""
    try:
        found = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} that is nested too deep to be shown"
    except Exception as error:  # noqa: BLE001 - somebody else's code, in the middle of an error
        return f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
    return found if len(found) <= most else found[: most - 3] + "..."

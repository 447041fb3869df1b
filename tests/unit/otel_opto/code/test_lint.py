"""What a source may use: what the declared one uses, and what leads nowhere."""

import pytest

from otel_opto.code.source import source_of

DECLARED = source_of("def f(self, x):\n    return x\n", ["json"])
RELAXED = source_of(
    'def f(self, x):\n    global seen\n    seen = open(x).read() + "__main__"\n    super().f(x)\n'
    "    return getattr(x, time.name)._hidden.__dict__\n",
    [],
)
REFUSED = [
    ("return eval('1')", "eval"),
    ("return __import__('os')", "__import__"),
    ("return open('/etc/passwd').read()", "open"),
    ("return getattr(x, '__cl' + 'ass__')", "getattr"),
    ("return globals()", "globals"),
    ("return x.__globals__", ".__globals__"),
    ("return x.__class__.__mro__[1].__subclasses__()", ".__subclasses__"),
    ("return (i for i in x).gi_frame.f_back", ".f_back"),
    ("return '{0.__init__}'.format(x)", "the text '__init__'"),
    ("return f'{x}__globals__'", "the text '__globals__'"),
    ("return __builtins__", "__builtins__"),
    ("return os.system('ls')", "the module os"),
    ("import json\n    return json._default_decoder", "._default_decoder"),
    ("return x._hidden", "._hidden"),
    ("global seen\n    seen = x", "global seen"),
    ("try:\n        return x\n    except:\n        pass", "an except that names no exception"),
    ("try:\n        return x\n    except BaseException:\n        pass", "BaseException"),
    ("raise SystemExit", "SystemExit"),
    ("return super().f(x)", "super"),
    ("nonlocal seen\n    return x", "nonlocal seen"),
    ("return exit()", "exit"),
]


def source(body: str) -> str:
    return f"def f(self, x):\n    {body}\n"


@pytest.mark.parametrize(("body", "what"), REFUSED)
def test_what_reaches_out_is_refused_and_named_with_its_line(body: str, what: str) -> None:
    fault = DECLARED.fault_of(source(body))
    assert fault.endswith(f": {what} is not allowed")
    assert fault.startswith(("line 2", "line 3", "line 4"))


@pytest.mark.parametrize(
    "body",
    [
        "return self._hidden + cls._hidden + super",
        "return x.__class__.__name__ + type(x).__doc__",
        "import json.decoder\n    return json.dumps(x)",
        "return json.dumps(x)",
        "time = x\n    return time",
        'def inner(types):\n        """Says __dict__."""\n        return types\n    return inner(x)',
        "match x:\n        case {'a': code, **select}:\n            return code, select\n    return None",
        "def inner():\n        nonlocal x\n        x = 2\n    inner()\n    return x",
        "try:\n        return [y for y in x]\n    except Exception as error:\n        return str(error)",
    ],
)
def test_what_leads_nowhere_is_allowed(body: str) -> None:
    assert DECLARED.fault_of(source(body.replace(" + super", ""))) == ""


@pytest.mark.parametrize("body", [body for body, what in REFUSED if what in ("open", "getattr", "super", "._hidden")])
def test_what_the_declared_source_uses_another_one_may_use(body: str) -> None:
    assert RELAXED.fault_of(source(body)) == ""


def test_declaring_it_does_not_make_code_of_data() -> None:
    with pytest.raises(ValueError, match="line 2: eval is not allowed"):
        source_of(source("return eval(x)"), ["eval"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("await x", "line 2: 'await' outside async function"),
        ("break", "line 2: 'break' outside loop"),
        ("def g(a, a): ...", "line 2: duplicate argument 'a'"),
        ("x = 1\n    global x", "line 3: name 'x'"),
    ],
)
def test_what_shows_only_when_it_is_compiled_is_found_too(body: str, said: str) -> None:
    grants = source_of("def f(self, x):\n    global x1\n    return x\n", [])
    fault = grants.fault_of(source(body))
    assert fault.startswith(said) or "global x is not allowed" in fault

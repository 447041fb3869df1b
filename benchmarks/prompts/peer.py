"""The other side: the same nodes in `trace-opt`, and the prompts that its optimizers make. Needs that package only.

Reads problems as JSON lines, writes for each the characters of its whole prompt, without the system's part.
"""

import json
import sys
from typing import Any


def nodes_of(problem: dict[str, Any]) -> tuple[list[Any], Any]:
    """The parameters and the output."""
    from opto.trace.nodes import MessageNode, Node, ParameterNode  # noqa: PLC0415 - an optional peer

    made: dict[str, Any] = {}
    for place, node in enumerate(problem["nodes"]):
        name = "".join(char if char.isalnum() else "_" for char in node["name"]) or "step"
        inputs: dict[str, Any] = {}
        for source, target, argument in problem["edges"]:
            if target == node["id"] and all(made[source] is not taken for taken in inputs.values()):
                inputs[argument if argument and argument not in inputs else f"x{len(inputs)}"] = made[source]
        if node["kind"] == "parameter":
            made[node["id"]] = ParameterNode(node["value"], name=name)
        elif inputs:
            described = f"[{name}] One step."
            made[node["id"]] = MessageNode(node["value"], inputs=inputs, description=described, name=name)
        else:
            made[node["id"]] = Node(node["value"], name=f"{name}_{place}")
    return [one for one in made.values() if isinstance(one, ParameterNode)], made[problem["output"]]


def chars_of(problem: dict[str, Any], optimizer_class: Any) -> int:
    """Of the user's part of the prompt."""
    parameters, output = nodes_of(problem)
    leading = [parameter for parameter in parameters if parameter.children]
    optimizer = optimizer_class(leading, llm=lambda **_: "")
    optimizer.zero_feedback()
    optimizer.backward(output, problem["feedback"])
    summary = optimizer.summarize()
    _, user = optimizer.construct_prompt(summary)
    return len(user)


def main() -> None:
    """One answer a line: of version 1, and of version 2 where the package has it."""
    from opto.optimizers.optoprime import OptoPrime  # noqa: PLC0415 - an optional peer

    classes: list[Any] = [OptoPrime]
    try:
        from opto.optimizers.optoprime_v2 import OptoPrimeV2  # noqa: PLC0415 - of newer versions
    except ImportError:
        pass
    else:
        classes.append(OptoPrimeV2)
    for line in sys.stdin:
        try:
            found = [chars_of(json.loads(line), one) for one in classes]
        except Exception as error:  # noqa: BLE001 - said, and the next one is measured
            sys.stderr.write(f"{error!r}\n")
            found = [0] * len(classes)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The other side: the same shapes as nodes of `trace-opt`, its backward and its summarise. Needs that package only.

Nodes are made directly, without ``@bundle``: what is measured begins when the run is over.
"""

import json
import sys
import time

from benchmarks.graph.shapes import SHAPES, Shape


def measured(shape: Shape) -> tuple[float, float]:
    """CPU milliseconds of backward, and of what OptoPrime makes of the feedback of all parameters."""
    from opto.optimizers.optoprime import node_to_function_feedback  # noqa: PLC0415 - an optional peer
    from opto.trace.nodes import MessageNode, ParameterNode  # noqa: PLC0415
    from opto.trace.propagators import GraphPropagator  # noqa: PLC0415

    parameters = [ParameterNode(f"prompt {number}", name=f"p{number}") for number in range(shape.parameters)]
    steps: list[MessageNode] = []
    for number, (uses, sources) in enumerate(zip(shape.uses, shape.sources, strict=True)):
        inputs = {f"p{key}": parameters[key] for key in uses}
        inputs |= {f"x{place}": steps[source] for place, source in enumerate(sources)}
        steps.append(MessageNode(f"answer {number}", inputs=inputs, description="[step] One step.", name="step"))
    output = steps[-1]
    if shape.joined:
        inputs = {f"x{place}": steps[source] for place, source in enumerate(shape.joined)}
        output = MessageNode("done", inputs=inputs, description="[run] The whole.", name="run")
    propagator = GraphPropagator()
    begun = time.process_time()
    output.backward("too wordy", propagator=propagator)
    middle = time.process_time()
    summary = node_to_function_feedback(sum(propagator.aggregate(parameter.feedback) for parameter in parameters))
    ended = time.process_time()
    nodes = len(summary.roots) + len(summary.others) + len(summary.output)
    if nodes != shape.nodes:
        raise AssertionError(f"{nodes} nodes, {shape.nodes} were expected")
    return (middle - begun) * 1e3, (ended - middle) * 1e3


if __name__ == "__main__":
    json.dump(measured(SHAPES[sys.argv[1]](int(sys.argv[2]))), sys.stdout)

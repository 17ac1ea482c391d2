"""Spec to plan: graph, defaults, checks, nodes. Finds every mistake that can be found before a run.

May import spec, plan, expressions and errors. Pure but for reading the text that it is given; a worker never
imports it.

    edges, parallel              who waits for whom: requires, after, parallel_with
    ways                         who starts whom: transitions and choices
    kinds                        which kind each job is, and which keys fit it
    nested                       the specs that jobs nest
    graph, components, ancestry  order, levels, longest chain; cycles; which jobs are upstream of which
    conditions, reach            what is constant; which jobs can never start
    draft, checks                what rules look at; the rules
    templates, expression_checks where `${{ }}` may stand; the rules about it
    artifact_clashes             artifacts of variants that would replace each other
    kind_, gate_, input_checks   the rules about kinds of jobs
    variables                    the rules about what jobs publish
    lints, certain, needless     what is worth a warning; what is certain of an expression; edges that others imply
    commands, shell              values for a shell, without becoming code
    services, known_services     the services of jobs and workflow; what well-known images need
    service_checks, _references  the rules about them, and about what expressions read of them
    defaults, nodes, kind_nodes, estimate  the parts of the plan
    compiler                     text or spec -> plan
"""

from orchestrator.compile.compiler import Compiled, compile_spec, compile_text
from orchestrator.compile.nested import ReadSpec, SpecFile, specs_in_memory

__all__ = ["Compiled", "ReadSpec", "SpecFile", "compile_spec", "compile_text", "specs_in_memory"]

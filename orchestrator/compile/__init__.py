"""Spec to plan: graph, defaults, checks, nodes. Finds every mistake that can be found before a run.

May import spec, plan, expressions and errors. Pure but for reading the text that it is given; a worker never
imports it.

    edges, parallel              who waits for whom: requires, after, parallel_with
    graph, components, ancestry  order, levels, longest chain; cycles; which jobs are upstream of which
    conditions, reach            what is constant; which jobs can never start
    draft, checks                what rules look at; the rules
    templates, expression_checks where `${{ }}` may stand; the rules about it
    artifact_clashes             artifacts of variants that would replace each other
    lints, certain, needless     what is worth a warning; what is certain of an expression; edges that others imply
    commands, shell              values for a shell, without becoming code
    services, known_services     the services of jobs and workflow; what well-known images need
    service_checks, _references  the rules about them, and about what expressions read of them
    defaults, nodes, estimate    the parts of the plan
    compiler                     text or spec -> plan
"""

from orchestrator.compile.compiler import Compiled, compile_spec, compile_text

__all__ = ["Compiled", "compile_spec", "compile_text"]

"""One module a stage: what it depends on, and one action.

What only an action needs is imported by the action: a run that finds everything fresh pays for none of it.
"""

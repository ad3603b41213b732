"""What a change would do: steps, policy verdicts and totals, in the terminal, as Markdown and as JSON.

The review runs the program by its path and knows no component.
"""

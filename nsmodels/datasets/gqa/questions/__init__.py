"""Questions about scene graphs in the released form of GQA: proposed, worded, balanced, with entailments and choices."""

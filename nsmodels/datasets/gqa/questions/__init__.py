"""Questions about scene graphs in the released form of GQA, worded and balanced, with entailments and choices."""

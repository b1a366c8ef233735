"""When an edge classifier's answer may stand: learned from held-out answers, with a promise that holds."""

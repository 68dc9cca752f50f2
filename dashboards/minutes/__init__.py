"""Time spent: raw beats from browsers, the timer that runs, the entries billing counts."""

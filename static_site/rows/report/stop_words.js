// Holds words that say nothing of a text's content. training/report has the same list.

/** Negations are not among them. */
export const STOP_WORDS = new Set(
  [
    "a about after all also am an and any are as at be because been before being both but by can could did do",
    "does doing down each else even ever few for from further get got had has have having he her here hers",
    "herself him himself his how i if in into is it it's its itself i'd i'll i'm i've just me more most much",
    "my myself of off on once one only or other our ours ourselves out over own really s same she should so",
    "some such t than that that's the their theirs them themselves then there there's these they they're",
    "this those through to too under until up us very was we we're were what when where which while who whom",
    "why will with would you you're your yours yourself yourselves",
  ].flatMap((line) => line.split(" ")),
);

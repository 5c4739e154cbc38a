// Holds example reviews: easy ones, and some that show the model's limits.

/** @type {{name: string, label: string, note: string, review: string}[]} */
export const EXAMPLES = [
  {
    name: "glowing",
    label: "Glowing",
    note: "an easy one",
    review:
      "I went in expecting little and came out walking on air. The two leads are wonderful " +
      "together, and the script is sharp, warm and funny. The last twenty minutes are the best " +
      "I have seen in years.",
  },
  {
    name: "scathing",
    label: "Scathing",
    note: "another easy one",
    review:
      "What a waste of an evening. The plot makes no sense, the jokes fall flat, and the lead " +
      "looks as bored as I was. I left before the end.",
  },
  {
    name: "mixed",
    label: "Mixed",
    note: "praise and complaints together",
    review:
      "The photography is gorgeous and the score gave me chills. Sadly the story goes nowhere, " +
      "and the dialogue is painful whenever someone opens their mouth. I loved the first hour " +
      "and checked my watch all through the second.",
  },
  {
    name: "negated",
    label: "Negated",
    note: "good words, negated",
    review:
      "I can\u2019t say that this is a good film. It isn\u2019t funny, it isn\u2019t clever, and " +
      "nobody in it is worth caring about. It is not even bad enough to be fun.",
  },
  {
    name: "sarcastic",
    label: "Sarcastic",
    note: "this may fool it",
    review:
      "Oh, brilliant, another two hours of men shouting at laptops. I just loved how every twist " +
      "was printed on the poster. Truly a masterpiece, if you enjoy watching paint dry.",
  },
  {
    name: "long",
    label: "A long one",
    note: "the model skips its middle",
    review: longReview(),
  },
  {
    name: "html",
    label: "With HTML",
    note: "tags and entities",
    review:
      "<p>A <b>lovely</b> surprise!<br />Small budget &amp; big heart.</p>\n" +
      "<p>The ending is rushed,<br/>but I would <i>gladly</i> see it again.</p>",
  },
  {
    name: "french",
    label: "In French",
    note: "the model learned English only",
    review:
      "Un film magnifique, dr\u00f4le et touchant. Les acteurs sont formidables et la musique " +
      "m\u2019a boulevers\u00e9. Je le recommande \u00e0 tout le monde.",
  },
];

/** The review that the page opens on: praise and complaints, and a sentence that decides. */
export const OPENING =
  "The leads are wonderful together. The music is lovely. The second half drags, and the ending is weak. " +
  "I would still recommend it.";

/** Returns a review with more words than the model reads. */
function longReview() {
  const plot = [
    "A ferryman finds a letter in a bottle and sets out to return it.",
    "On the first island he meets a clockmaker who has stopped every clock in town.",
    "On the second, two sisters quarrel over a piano that neither can play.",
    "The third is empty but for a lighthouse, and somebody has lit it.",
    "Between the islands there is rowing, and talk about rowing, and rain.",
    "A gull follows the boat and is given a name.",
  ];
  const middle = Array.from({ length: 5 }, () => plot.join(" ")).join(" ");
  return (
    "I had no idea what to expect of this film. " +
    `${middle} ` +
    "And yet the ending is so tender, and so well earned, that I forgave it every slow minute. " +
    "The ferryman is played with great warmth, and the sea has rarely been filmed so well. A quiet joy."
  );
}

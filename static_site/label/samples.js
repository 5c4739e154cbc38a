// Holds ten short reviews of our own to label. Two are mixed, and one gives no opinion.

/** @type {string[]} */
export const SAMPLES = [
  "We laughed from the first scene to the last, and my father asked to see it again the next day.",
  "Two hours of people shouting in corridors. I have rarely been so glad to see the lights come on.",
  "The costumes are a feast and the dancing is superb, but nobody thought to write a second half.",
  "A small, patient film about a ferry and the people who miss it. It stayed with me for weeks.",
  "The film follows three brothers who run a bakery in Porto. It was shown on Tuesday and lasts 96 minutes.",
  "Every twist is announced ten minutes early, and the hero explains each of them twice.",
  "I expected another tired sequel. Instead it is quick, clever and honestly moving.",
  "The child actor is a real find. Everyone around him seems to be reading the lines off a wall.",
  "It isn\u2019t deep and it doesn\u2019t try to be, and I enjoyed every silly minute.",
  "Beautiful posters, a famous cast, and not one scene that I would care to remember.",
];

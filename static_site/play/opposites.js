// Holds pairs of opposite words, and swaps a word for its opposite.

/** Praise before the slash, complaint after it; from training/recipe/lessons/antonyms.jsonl. */
const LESSONS = `
  good/bad great/terrible great/awful good/poor good/lousy excellent/terrible excellent/dreadful
  wonderful/awful wonderful/horrible fantastic/atrocious fantastic/horrendous amazing/appalling
  amazing/awful brilliant/stupid brilliant/dreadful superb/abysmal superb/dire outstanding/atrocious
  terrific/terrible marvelous/miserable marvellous/dismal magnificent/pathetic perfect/flawed
  flawless/botched beautiful/ugly gorgeous/hideous stunning/ghastly lovely/nasty delightful/dreary
  enjoyable/unbearable enjoyable/tedious entertaining/boring entertaining/tedious interesting/boring
  interesting/uninteresting fascinating/dull engaging/boring engrossing/tiresome gripping/plodding
  riveting/tedious compelling/unconvincing captivating/monotonous exciting/dull thrilling/boring
  suspenseful/predictable funny/unfunny hilarious/unfunny hilarious/painful witty/witless clever/stupid
  clever/dumb smart/dumb smart/idiotic intelligent/moronic intelligent/brainless fresh/stale
  inventive/formulaic imaginative/unimaginative inspired/uninspired creative/hackneyed
  convincing/unconvincing believable/unbelievable plausible/implausible realistic/fake authentic/phony
  genuine/contrived natural/wooden natural/stilted subtle/heavy-handed nuanced/crude touching/mawkish
  moving/dull poignant/cheesy heartfelt/insincere heartwarming/depressing charming/irritating
  charming/annoying likable/unlikable likeable/unlikeable lovable/obnoxious appealing/repellent
  pleasant/unpleasant satisfying/unsatisfying satisfying/disappointing rewarding/frustrating
  fulfilling/frustrating memorable/forgettable unforgettable/forgettable remarkable/unremarkable
  impressive/unimpressive impressive/laughable exceptional/mediocre decent/lousy solid/shaky solid/feeble
  strong/weak powerful/feeble powerful/limp effective/ineffective competent/incompetent skilled/inept
  skilful/clumsy talented/talentless gifted/talentless masterful/amateurish masterly/amateurish
  polished/sloppy slick/shoddy coherent/incoherent tight/bloated taut/flabby crisp/muddled brisk/sluggish
  lively/lifeless vivid/drab vibrant/bland colorful/drab colourful/drab deep/shallow profound/shallow
  meaningful/meaningless meaningful/pointless thoughtful/thoughtless thoughtful/mindless insightful/vapid
  worthwhile/worthless worthwhile/pointless valuable/worthless watchable/unwatchable underrated/overrated
  best/worst better/worse finest/poorest greatest/worst greatest/lamest funniest/dullest smartest/dumbest
  cleverest/stupidest stronger/weaker strongest/weakest smarter/dumber funnier/lamer nice/nasty cool/lame
  awesome/awful awesome/crappy neat/crummy happy/unhappy glad/sorry pleased/annoyed pleased/disappointed
  satisfied/dissatisfied satisfied/disappointed impressed/unimpressed impressed/disappointed
  thrilled/disgusted delighted/disgusted delighted/dismayed amused/bored amused/irritated entertained/bored
  interested/bored engaged/bored fascinated/bored moved/bored hooked/bored enthralled/exhausted
  charmed/annoyed excited/bored elegant/clumsy graceful/awkward stylish/tacky tasteful/tasteless
  classy/trashy sophisticated/crude breathtaking/dismal spectacular/pitiful dazzling/drab
  mesmerizing/mind-numbing hypnotic/soporific absorbing/tiresome splendid/dreadful glorious/wretched
  sublime/execrable exquisite/hideous fabulous/ghastly phenomenal/pathetic incredible/atrocious
  tremendous/woeful stellar/dismal top-notch/third-rate first-rate/second-rate well-written/ill-written
  well-acted/badly-acted well-made/ill-made well-crafted/ill-conceived well-paced/ill-paced
  well-directed/misdirected sympathetic/unsympathetic appropriate/inappropriate successful/unsuccessful
  triumphant/disastrous inspiring/uninspiring uplifting/depressing exhilarating/exhausting
  admirable/deplorable commendable/regrettable respectable/disgraceful honest/dishonest sincere/phoney
  faultless/faulty brilliantly/poorly brilliantly/terribly beautifully/badly beautifully/horribly
  wonderfully/horribly wonderfully/dreadfully superbly/atrociously superbly/abysmally perfectly/poorly
  perfectly/terribly excellently/terribly convincingly/unconvincingly skillfully/clumsily
  skilfully/clumsily masterfully/ineptly expertly/incompetently cleverly/stupidly intelligently/stupidly
  smartly/lazily elegantly/awkwardly gracefully/awkwardly effectively/ineffectively effortlessly/painfully
  delightfully/painfully pleasantly/unpleasantly refreshingly/depressingly impressively/embarrassingly
  marvelously/miserably marvellously/miserably magnificently/pathetically fantastically/horrendously
  amazingly/appallingly admirably/shamefully nicely/badly sensitively/insensitively carefully/carelessly
  imaginatively/unimaginatively thoughtfully/thoughtlessly flawlessly/sloppily tightly/loosely
  fortunately/unfortunately luckily/unluckily happily/sadly thankfully/regrettably
  successfully/unsuccessfully hilariously/painfully love/hate loves/hates loved/hated loving/hating
  liked/disliked enjoy/hate enjoys/hates enjoyed/hated enjoying/hating enjoyed/loathed enjoy/loathe
  adore/despise adores/despises adored/despised adore/detest adored/detested admire/despise
  admires/despises admired/despised appreciate/resent appreciated/resented praise/criticize
  praised/criticized praises/criticizes praising/criticizing applaud/condemn applauded/condemned
  cherish/despise cherished/despised succeed/fail succeeds/fails succeeded/failed succeeding/failing
  excel/flounder excels/flounders excelled/floundered excelling/floundering shine/stink shines/stinks
  shined/stunk shining/stinking rocks/sucks rocked/sucked triumphs/flops triumphed/flopped soars/sinks
  soared/sank works/fails worked/failed delivers/disappoints delivered/disappointed deliver/disappoint
  delivering/disappointing impress/disappoint impresses/disappoints entertain/bore entertains/bores
  fascinate/bore fascinates/bores delight/annoy delights/annoys delighted/annoyed charm/irritate
  charms/irritates charmed/irritated thrill/bore thrills/bores thrilled/bored captivate/bore
  captivates/bores captivated/bored engages/alienates engaged/alienated amuse/irritate amuses/irritates
  please/displease pleases/displeases pleased/displeased enriches/ruins enriched/ruined elevates/ruins
  elevated/ruined elevate/ruin enhances/spoils enhanced/spoiled enhance/spoil nailed/botched nails/botches
  nail/botch dazzles/bores dazzled/bored satisfies/frustrates satisfied/frustrated sparkles/drags
  sparkled/dragged sparkle/drag masterpiece/disaster masterpiece/mess masterpieces/disasters gem/dud
  gem/stinker gems/duds classics/travesties triumph/failure triumphs/failures success/failure
  successes/failures treat/chore treats/chores treasure/dud treasures/duds delight/bore delight/ordeal
  pleasure/chore pleasure/ordeal pleasure/torment joy/chore enjoyment/boredom excitement/boredom
  excitement/tedium beauty/ugliness brilliance/stupidity intelligence/stupidity wit/stupidity
  skill/ineptitude competence/incompetence talent/incompetence originality/cliché originality/unoriginality
  excellence/mediocrity perfection/mediocrity quality/crap strength/weakness strengths/weaknesses
  virtue/flaw virtues/flaws merit/fault merits/faults advantage/drawback advantages/drawbacks love/hatred
  admiration/contempt affection/contempt respect/disdain satisfaction/disappointment
  satisfaction/dissatisfaction satisfaction/frustration delight/disappointment praise/criticism
  praise/scorn fan/hater fans/haters admirer/detractor admirers/detractors depth/shallowness
  warmth/coldness charm/annoyance elegance/clumsiness coherence/incoherence achievement/embarrassment
  achievements/embarrassments accomplishment/embarrassment marvels/abominations inspiration/abomination
  must-see/must-avoid knockout/letdown knockout/stinker`;

/** Pairs that the lessons lack: words with a second meaning, and words that turn a sentence. */
const OWN = `
  witty/painful funny/painful gripping/slow brisk/slow quick/slow warm/cold rich/thin sharp/blunt
  sharp/flat fresh/tired fun/dull clear/confusing gripping/confusing touching/silly impressive/ridiculous
  natural/forced full/empty measured/rushed lavish/cheap careful/lazy recommend/avoid see/skip
  triumph/waste pleasure/waste treat/waste somewhere/nowhere everywhere/nowhere tender/harsh joy/misery
  laugh/groan laughs/groans laughed/groaned laughing/groaning smile/wince smiled/winced always/never
  often/rarely truly/hardly fully/barely everybody/nobody everyone/nobody everything/nothing more/less
  most/least with/without has/lacks had/lacked worthy/unworthy right/wrong favourite/hated favorite/hated
  hope/despair hopeful/hopeless fast-paced/slow`;

/** Helping verbs that take "n't". Those of OBLIGING also read well when it is added. */
const OBLIGING = ["is", "are", "was", "were", "do", "does", "did", "can", "could", "will", "would", "should"];
const HELPING = [...OBLIGING, "has", "have", "had"];
/** @type {Record<string, string>} */
const IRREGULAR = { can: "ca", will: "wo" };

const CONTRACTED = /^(.+)n['\u2018\u2019`]t$/;
const CURLY = "\u2019";

/** @type {Map<string, string[]>} */
const known = new Map();
for (const pair of `${OWN} ${LESSONS}`.trim().split(/\s+/)) {
  const [praise, complaint] = pair.split("/");
  known.set(praise, [...(known.get(praise) ?? []), complaint]);
  known.set(complaint, [...(known.get(complaint) ?? []), praise]);
}

/** Returns a word's opposites, in its own capitals, the closest first. @param {string} word */
export function opposites(word) {
  return (known.get(word.toLowerCase()) ?? []).map((other) => inCapitalsOf(word, other));
}

/** Returns "is" for "isn't", and null for a word without "n't". @param {string} word */
export function withoutNot(word) {
  if (word.toLowerCase() === "cannot") return inCapitalsOf(word, "can");
  const stem = word.toLowerCase().match(CONTRACTED)?.[1];
  const verb = HELPING.find((helping) => (IRREGULAR[helping] ?? helping) === stem);
  return verb === undefined ? null : inCapitalsOf(word, verb);
}

/**
 * Returns "isn't" for "is", and null for a word that takes no "n't".
 * @param {string} word
 * @param {boolean} curly
 */
export function withNot(word, curly) {
  const verb = word.toLowerCase();
  if (!OBLIGING.includes(verb)) return null;
  return inCapitalsOf(word, `${IRREGULAR[verb] ?? verb}n${curly ? CURLY : "'"}t`);
}

/**
 * Returns "a" or "an", as the word after it asks, in the article's own capitals.
 * @param {string} article
 * @param {string} word
 */
export function articleFor(article, word) {
  const low = word.toLowerCase();
  const vowel = /^[aeiou]/.test(low) && !/^(one|once|uni|use|euro)(?!nt|nv)/.test(low);
  const asked = vowel || /^(un(im|in)|honest|hour|honou?r)/.test(low) ? "an" : "a";
  return inCapitalsOf(article, asked);
}

/** Writes a word in the capitals of another. @param {string} model @param {string} word */
function inCapitalsOf(model, word) {
  const letters = model.replaceAll(/[^\p{L}]/gu, "");
  if (letters.length > 1 && letters === letters.toUpperCase()) return word.toUpperCase();
  const first = Array.from(model)[0] ?? "";
  const [head = "", ...rest] = word;
  const capital = first === first.toUpperCase() && first !== first.toLowerCase();
  return capital ? head.toUpperCase() + rest.join("") : word;
}

// Lists the reviews that were read on this device, while the reader wants that. Loaded on demand.

import * as strings from "./answer_strings.js";
import { button, byId, element, fillStrings, listItem, onClick, setText } from "../shared/dom.js";
import * as history from "./history.js";
import { follow, settings } from "../shared/settings.js";
import { isCalibrated, isUnderstood } from "../shared/verdict_strings.js";

/** @type {(text: string) => void} */
let useText;

/** @param {(text: string) => void} use puts a text into the box and reads it */
export function startHistory(use) {
  useText = use;
  fillStrings(byId("history"));
  onClick(document, "#forget", forget);
  follow((now) => {
    if (!now.history) history.forget();
    showHistory();
  });
}

/** @param {import("./outcome.js").Answered} answered */
export function remember({ review, answer }) {
  if (!settings.history) return;
  const { sentiment, reason, probability } = answer;
  const short = isUnderstood(answer) && !isCalibrated(answer);
  const kept = history.keep({ review, sentiment, reason, probability, short, when: Date.now() });
  showHistory();
  if (!kept) setText(document, "#history-none", strings.historyFull);
}

function showHistory() {
  byId("history").hidden = !settings.history;
  const entries = settings.history ? history.entries() : [];
  byId("history-none").hidden = entries.length > 0;
  setText(document, "#history-none", strings.STATIC.historyNone);
  byId("forget").hidden = entries.length === 0;
  byId("history-list").replaceChildren(...entries.map(historyItem));
}

/** @param {history.Entry} entry */
function historyItem(entry) {
  const choice = button("history-entry", "", () => useText(entry.review));
  const excerpt = element("span", "history-text", Array.from(entry.review).slice(0, 120).join(""));
  excerpt.dir = "auto";
  choice.append(
    element("strong", "", strings.entryVerdict(entry)),
    element("span", "", strings.entryNote(entry)),
    excerpt,
    element("time", "small-print", strings.moment(entry.when)),
  );
  return listItem(choice);
}

/** Asked for by its own button, and said when done. */
function forget() {
  history.forget();
  showHistory();
  setText(document, "#status", strings.forgotten);
  byId("send").focus();
}

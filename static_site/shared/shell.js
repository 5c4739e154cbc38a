// Draws the navigation and the settings of every page.

import * as config from "../config.js";
import { byId, element, fillStrings, find, listItem } from "./dom.js";
import { applyTheme, change, follow, settings } from "./settings.js";
import * as strings from "./strings.js";

/** @typedef {import("./settings.js").Settings} Settings */

/** Fills the masthead and the page's own words. @param {string} page the file that is open, as in strings.PAGES */
export function startShell(page) {
  fillStrings(document);
  const masthead = find(document, ".masthead");
  masthead.append(navigation(page), settingsPanel());
  document.body.prepend(skipLink());
  follow(applyTheme);
}

/** Removes the note about a missing script, and shows the page. */
export function showPage() {
  byId("unstarted").remove();
  byId("page").hidden = false;
}

function skipLink() {
  const link = /** @type {HTMLAnchorElement} */ (element("a", "skip", strings.skip));
  link.href = "#page";
  return link;
}

/** @param {string} page */
function navigation(page) {
  const list = element("ul");
  // With one address there is nothing to compare.
  const shown = Object.entries(strings.PAGES).filter(
    ([file]) => file !== "compare.html" || file === page || Boolean(config.BESIDE_API_URL),
  );
  list.append(...shown.map(([file, name]) => pageLink(file, name, file === page)));
  const nav = element("nav", "pages");
  nav.setAttribute("aria-label", strings.STATIC.pages);
  nav.append(list);
  return nav;
}

/** @param {string} file @param {string} name @param {boolean} current */
function pageLink(file, name, current) {
  const link = /** @type {HTMLAnchorElement} */ (element("a", "", name));
  link.href = file;
  if (current) link.setAttribute("aria-current", "page");
  return listItem(link);
}

function settingsPanel() {
  const panel = element("details", "settings");
  const body = element("div", "settings-body");
  body.append(themeChoice(), ...strings.SETTINGS.map(checkbox));
  panel.append(element("summary", "", strings.STATIC.settings), body);
  closeByItself(panel);
  return panel;
}

function themeChoice() {
  const group = element("fieldset", "settings-theme");
  group.append(element("legend", "", strings.STATIC.theme));
  for (const [theme, name] of Object.entries(strings.THEMES)) {
    const input = inputOf("radio", settings.theme === theme);
    input.name = "theme";
    input.value = theme;
    input.addEventListener("change", () => change({ theme: /** @type {Settings["theme"]} */ (theme) }));
    follow((now) => {
      input.checked = now.theme === theme;
    });
    group.append(labelled(input, name));
  }
  return group;
}

/** @param {(typeof strings.SETTINGS)[number]} setting */
function checkbox({ name, label, note }) {
  const input = inputOf("checkbox", settings[name]);
  input.id = `setting-${name}`;
  input.addEventListener("change", () => change({ [name]: input.checked }));
  follow((now) => {
    input.checked = now[name];
  });
  const row = labelled(input, label);
  row.append(element("span", "small-print", note));
  return row;
}

/** @param {string} type @param {boolean} checked */
function inputOf(type, checked) {
  const input = /** @type {HTMLInputElement} */ (element("input"));
  input.type = type;
  input.checked = checked;
  return input;
}

/** @param {HTMLInputElement} input @param {string} text */
function labelled(input, text) {
  const label = element("label", "choice");
  label.append(input, element("span", "", text));
  return label;
}

/** Closes a panel on Escape or on a press elsewhere. @param {HTMLElement} panel */
function closeByItself(panel) {
  const summary = () => find(panel, "summary");
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !panel.hasAttribute("open")) return;
    panel.removeAttribute("open");
    summary().focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Node && !panel.contains(event.target)) panel.removeAttribute("open");
  });
}

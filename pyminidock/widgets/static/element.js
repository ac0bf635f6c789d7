// How the player makes what it shows.  Every element comes from `mdElement`, which sets texts
// as texts and knows which attributes there are: whatever a name from inside a container
// says, it is shown and never becomes part of the page.

const MD_ALLOWED = new Set([
  "class", "id", "type", "title", "role", "tabindex", "lang", "value", "min", "max", "step",
  "for", "name", "scope", "colspan", "hidden", "open", "inputmode", "autocomplete", "size",
  "spellcheck", "placeholder", "enterkeyhint", "checked", "selected",
]);

/**
 * Make an element.  `attributes` may also have `text`, and `on`: {event: listener} with the
 * `signal` that ends them.
 */
function mdElement(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  const { text, on, signal, ...rest } = attributes;
  for (const [name, value] of Object.entries(rest)) {
    mdSet(element, name, value);
  }
  if (text !== undefined) {
    element.textContent = text;
  }
  for (const [event, listener] of Object.entries(on ?? {})) {
    element.addEventListener(event, listener, { signal });
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set an attribute that we know; false and null take it away. */
function mdSet(element, name, value) {
  if (!MD_ALLOWED.has(name) && !/^(aria|data)-[a-z-]+$/.test(name)) {
    throw new Error(`no attribute of ours: ${name}`);
  }
  if (value === false || value === null || value === undefined) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Put a text, unless it is there: what does not change is not touched. */
function mdPut(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Give a function that fills the words of the player's table: say("position", {i, n}). */
function mdWords(table) {
  return (key, facts = {}) =>
    (table?.[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

/** Seconds as people read them beside a step: 0.184 s, 75.3 s. */
function mdSeconds(t) {
  return `${t < 10 ? t.toFixed(3) : t.toFixed(1)} s`;
}

let mdCounter = 0;

/** An id for the page, different at each call. */
function mdId(word) {
  mdCounter += 1;
  return `md-${word}-${mdCounter}`;
}

/**
 * Keep `md-dark` and `md-high` (contrast) on the root as the surroundings are: JupyterLab's
 * theme, else that of VS Code, else what the system prefers.
 */
function mdFollowTheme(root, signal) {
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    root.classList.toggle("md-dark", mdIsDark(document.body, prefersDark));
    root.classList.toggle("md-high", mdIsHigh(document.body));
  };
  const observer = new MutationObserver(follow);
  observer.observe(document.body, { attributes: true });
  signal?.addEventListener("abort", () => observer.disconnect());
  prefersDark.addEventListener("change", follow, { signal });
  follow();
}

function mdIsDark(body, prefersDark) {
  if (body.dataset.jpThemeLight) {
    return body.dataset.jpThemeLight === "false";
  }
  if (/\bvscode-(light|dark|high-contrast)/.test(body.className)) {
    return !/\bvscode-(high-contrast-)?light\b/.test(body.className);
  }
  return prefersDark.matches;
}

function mdIsHigh(body) {
  const theme = body.dataset.jpThemeName ?? "";
  return theme.includes("High Contrast") || /\bvscode-high-contrast/.test(body.className);
}

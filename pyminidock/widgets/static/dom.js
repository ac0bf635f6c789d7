/*
 * The painter for browsers: a scene becomes elements, and those elements stay.
 *
 * A scene arrives flat, a Map from id to node; the entry "" names the root.  Each node is
 * turned into a *description*, plain data that says which element is wanted:
 *
 *     node {p: "text", s: "hit", t: "ready"}
 *       → {tag: "p", at: {class: "md-text md-s-hit"}, kids: [{tag: "span", …}, "ready"]}
 *
 * and `mdMorph` changes an element until it is as described, touching nothing that is right
 * already.  So painting and patching are the same work, and whoever has the focus, has
 * scrolled or has opened a <details> is not disturbed by the next step.
 *
 * Names, paths and log lines come from inside containers: nobody vouches for them.  They
 * become text nodes and attribute values, never markup; only the attributes of a short list
 * are ever set; and whatever would not print is spelt out, as viz/painters/harmless.py does.
 * The elements are those of viz/painters/html.py, and a test compares the two.
 */

/** Attributes that a picture may have.  None of them can run or fetch anything. */
const MD_ATTRIBUTES = new Set([
  "class", "role", "title", "tabindex", "scope", "colspan",
  "aria-label", "aria-current", "aria-live", "aria-hidden",
]);

// Nothing from a container makes a page endless; the numbers are those of harmless.py.
const MD_MOST_TEXT = 2000; // characters of one text or line
const MD_MOST_LINES = 400; // of one code or log
const MD_MOST_CHILDREN = 500; // of one node
const MD_MOST_DEPTH = 32; // of nodes inside nodes

const MD_SHORT = 16; // characters of a cell that stay on one line
const MD_BAR = /^[▏█░]+$/; // and those of a bar
const MD_TOO_DEEP = "what is deeper is not shown";
const MD_CHANGED_WORD = "changed in this step";
const MD_POINTER = "►";

/** What is known about each host that a view was painted into. */
const mdViews = new WeakMap();

// ── The two doors ───────────────────────────────────────────────────────────────────────

/**
 * Draw all of one view into `host`, instead of whatever was there.
 *
 * @param {Element} host  any element; the picture becomes its only child
 * @param {Map<string, object>} scene  flat: id → node, "" → {k: [root id]}
 * @param {{glyphs: object, states: object, changed: string, view: string}} options
 *   signs and words of the states, and the sign of a change; from the film's header
 */
function mdPaintView(host, scene, options = {}) {
  const view = {
    scene,
    options,
    places: new Map(), // id → {element, where, shape}: what was drawn where
    wraps: new Map(), // id → an element that is only around what shows it
    owners: new Map(), // id of a cell → id of the row that draws it
    keys: new WeakMap(), // element → id
    drawn: new Set(), // ids that this pass has described
    changed: null, // ids that this pass must describe anew; null: all
  };
  mdViews.set(host, view);
  const picture = mdMorph(view, null, mdPicture(view));
  host.replaceChildren(picture);
  view.picture = picture;
}

/**
 * Redraw what changed in a view that was painted before; paint it if it was not.
 *
 * @param {Element} host
 * @param {Map<string, object>} scene  the scene as it is now
 * @param {Iterable<string>} changedIds  ids that are new, gone or different
 * @param {object} options  as for mdPaintView
 */
function mdPatchView(host, scene, changedIds, options = {}) {
  const view = mdViews.get(host);
  if (!view || !view.picture || view.picture.parentNode !== host) {
    mdPaintView(host, scene, options);
    return;
  }
  Object.assign(view, { scene, options, drawn: new Set() });
  const ids = mdDrawers(view, changedIds);
  view.changed = new Set(ids);
  const focused = host.ownerDocument.activeElement;
  if (view.changed.has("")) mdMorph(view, view.picture, mdPicture(view));
  for (const id of ids) mdRedraw(view, id);
  for (const id of ids.filter((each) => !scene.has(each))) {
    view.places.delete(id);
    view.wraps.delete(id);
  }
  if (focused && focused !== host.ownerDocument.activeElement && host.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

/**
 * Give the element that shows the node `id` in `host`, or null; a cell's is its row's.
 *
 * @param {Element} host
 * @param {string} id
 */
function mdElementOf(host, id) {
  const view = mdViews.get(host);
  const place = view && view.places.get(view.owners.get(id) ?? id);
  return place ? place.element : null;
}

/** Who has to be drawn when these change?  Cells by their row; a new shape by its parent. */
function mdDrawers(view, changedIds) {
  const ids = new Set();
  for (const changed of changedIds) {
    const id = view.owners.get(changed) ?? changed;
    ids.add(id);
    const place = view.places.get(id);
    if (place && place.shape !== mdShape(view, id)) ids.add(place.where.parent);
  }
  const depth = (id) => view.places.get(id)?.where.depth ?? 0;
  return [...ids].sort((one, other) => depth(one) - depth(other)); // parents first
}

/** Give what a parent has to know about its child: what it is, how wide a row is. */
function mdShape(view, id) {
  const node = view.scene.get(id) || {};
  const cells = node.p === "row" ? (node.k || []).map((cell) => view.scene.get(cell)?.p) : [];
  return [node.p, ...cells].join(" ");
}

/** Draw one node again where it stands; one that is new is drawn by its parent. */
function mdRedraw(view, id) {
  const place = mdPlace(view, id);
  if (!place || view.drawn.has(id) || !view.scene.has(id)) return;
  const wanted = mdDescribe(view, id, place.where);
  const element = mdMorph(view, place.element, wanted);
  if (element !== place.element) place.element.replaceWith(element);
}

/** Give the place of a node; one whose element has left the picture has none. */
function mdPlace(view, id) {
  const place = view.places.get(id);
  if (!place || view.picture.contains(place.element)) return place;
  view.places.delete(id);
  return undefined;
}

// ── Descriptions ────────────────────────────────────────────────────────────────────────

function mdPicture(view) {
  const top = view.scene.get("");
  const where = { inside: "", depth: 0, level: 3 };
  return mdTag("div", { class: "md-picture" }, mdBelow(view, "", top || {}, where));
}

/** Describe one element; kids that are null or "" are left out. */
function mdTag(tag, at, kids = []) {
  return { tag, at, kids: kids.filter((kid) => kid !== null && kid !== "") };
}

/**
 * Describe the node `id` as it looks in its place.
 *
 * @param {{inside: string, depth: number, level: number, parent: string}} where  inside of
 *   a "tree", a "head" or "table", or neither; how deep; the level of the next heading
 */
function mdDescribe(view, id, where) {
  const node = mdNode(view, id, where);
  if (!node || view.drawn.has(id)) return null; // told twice, or not at all
  const known = view.changed && !view.changed.has(id) && mdPlace(view, id);
  if (known && mdSameWhere(known.where, where)) return { keep: known.element, key: id };
  view.drawn.add(id);
  view.owners.delete(id);
  const drawer = Object.hasOwn(MD_DRAWERS, node.p) ? MD_DRAWERS[node.p] : mdText;
  return { ...drawer(view, id, node, where), key: id, where, shape: mdShape(view, id) };
}

function mdSameWhere(one, other) {
  return one.inside === other.inside && one.depth === other.depth
    && one.level === other.level && one.parent === other.parent;
}

/** Give the place one deeper. */
function mdInside(id, where, inside = "") {
  return { inside, depth: where.depth + 1, level: where.level, parent: id };
}

/** Describe the children of a node that are neither items nor rows. */
function mdBelow(view, id, node, where) {
  const [shown, more] = mdShown(node);
  const deeper = mdInside(id, where);
  return [...shown.map((child) => mdDescribe(view, child, deeper)), more && mdMore(more)];
}

/** Give a node, or the words that stand for it where the picture has become too deep. */
function mdNode(view, id, where) {
  const node = view.scene.get(id);
  return node && where.depth > MD_MOST_DEPTH ? { p: "text", t: MD_TOO_DEEP } : node;
}

/** Give the children that are shown, and what is to be said about the others. */
function mdShown(node) {
  const ids = node.k || [];
  const rest = ids.length - MD_MOST_CHILDREN;
  return rest > 0 ? [ids.slice(0, MD_MOST_CHILDREN), `… and ${rest} more`] : [ids, null];
}

/** Put an element around what shows the node `id`, if anything does; both stay together. */
function mdWrap(id, wanted, around) {
  return wanted && { ...around(wanted), around: id };
}

function mdMore(said) {
  return mdTag("p", { class: "md-more" }, [said]);
}

function mdClass(name, node) {
  const state = mdState(node);
  return [name, state && `md-s-${state}`, node.c && "md-changed", node.m && "md-marked"]
    .filter(Boolean).join(" ");
}

/** Give the state of a node, "" for one that this player does not know. */
function mdState(node) {
  return /^(hit|miss|write|hide|net|err|idle)$/.test(node.s) ? node.s : "";
}

function mdNameOf(node) {
  return mdHarmless(node.n ?? node.t ?? "");
}

/** Describe sign, words and the sign of a change: how every thing says what it is. */
function mdContent(view, node, said = mdHarmless(node.t ?? "")) {
  const { glyphs = {}, states = {}, changed = "Δ" } = view.options;
  const state = mdState(node);
  return [
    state && mdSign("md-glyph", glyphs[state] ?? "", states[state] ?? state),
    state && said && " ",
    said,
    node.c && " ",
    node.c && mdSign("md-delta", changed, MD_CHANGED_WORD),
  ].map((part) => part || null);
}

/** Describe a sign that is read aloud as a word. */
function mdSign(name, sign, word) {
  const at = { class: name, role: "img", "aria-label": word, title: word };
  return mdTag("span", at, [sign]);
}

/** Describe something that is closed at first, its children counted on it. */
function mdFold(name, label, content, node, body) {
  const heads = node.p === "table" ? 1 : 0;
  const count = mdTag("span", { class: "md-count" }, [
    `(${(node.k || []).length - heads} inside)`,
  ]);
  const summary = mdTag("summary", { class: label }, [...content, " ", count]);
  return mdTag("details", { class: name }, [summary, ...body]);
}

function mdIsFolded(node) {
  return Boolean(node.f && node.k && node.k.length);
}

/** Describe a primitive that has no label of its own, behind one if it is folded. */
function mdPerhapsFolded(node, body) {
  if (!mdIsFolded(node)) return body;
  return mdFold("md-fold", "md-label", [mdNameOf(node)], node, [body]);
}

// ── One drawer per primitive ────────────────────────────────────────────────────────────

const MD_DRAWERS = {
  stack: mdStack, group: mdGroup, box: mdBox, row: mdRow, cell: mdLooseCell,
  table: mdTable, tree: mdTree, edge: mdEdge, badge: mdBadge, text: mdText,
  log: mdLog, code: mdCode,
};

function mdStack(view, id, node, where) {
  const deeper = mdInside(id, where);
  const children = (node.k || []).map((child) => mdNode(view, child, deeper));
  const isWide = children.length > 1 && children.every((child) => child?.p === "group");
  const at = { class: isWide ? "md-stack md-columns" : "md-stack" };
  return mdPerhapsFolded(node, mdTag("div", at, mdBelow(view, id, node, where)));
}

function mdGroup(view, id, node, where) {
  const deeper = { ...where, level: Math.min(where.level + 1, 6) };
  const children = mdBelow(view, id, node, deeper);
  const content = mdContent(view, node);
  const name = mdClass("md-group", node);
  if (mdIsFolded(node)) return mdFold(name, "md-heading", content, node, children);
  const heading = mdTag(`h${where.level}`, { class: "md-heading" }, content);
  return mdTag("section", { class: name }, [heading, ...children]);
}

function mdBox(view, id, node, where) {
  const children = mdBelow(view, id, node, where);
  const content = mdContent(view, node);
  const name = mdClass("md-box", node);
  if (mdIsFolded(node)) return mdFold(name, "md-label", content, node, children);
  const title = mdTag("p", { class: "md-label" }, content);
  const at = { class: name, role: "group", "aria-label": mdNameOf(node) };
  return mdTag("div", at, [title, ...children]);
}

function mdRow(view, id, node, where) {
  if (where.inside) return mdTableRow(view, id, node, where);
  const at = { class: mdClass("md-row", node), ...mdHere(node) };
  return mdPerhapsFolded(node, mdTag("div", at, mdBelow(view, id, node, where)));
}

/** Give the attribute that says: the story stands here. */
function mdHere(node) {
  return node.m ? { "aria-current": "step" } : {};
}

function mdTable(view, id, node, where) {
  const [shown, more] = mdShown(node);
  const [head, ...rows] = shown;
  const deeper = mdInside(id, where, "table");
  const width = mdWidth(view, shown, deeper);
  const parts = [mdTag("caption", { class: "md-caption" }, [mdNameOf(node)])];
  if (head !== undefined) {
    const first = mdTableChild(view, head, width, mdInside(id, where, "head"));
    const body = rows.map((child) => mdTableChild(view, child, width, deeper));
    if (more) body.push(mdSpanning(width, mdMore(more)));
    parts.push(mdTag("thead", {}, [first]), mdTag("tbody", {}, body));
  }
  return mdPerhapsFolded(node, mdTag("table", { class: "md-table" }, parts));
}

/** Count the columns of a table. */
function mdWidth(view, ids, where) {
  const counts = ids.map((id) => {
    const node = mdNode(view, id, where);
    return node && node.p === "row" ? mdShown(node)[0].length : 1;
  });
  return Math.max(1, ...counts);
}

/** Describe a child of a table: a row, or anything else across all columns. */
function mdTableChild(view, id, width, where) {
  const node = mdNode(view, id, where);
  if (!node) return null;
  if (node.p === "row") return mdDescribe(view, id, where);
  const wanted = mdDescribe(view, id, { ...where, inside: "" });
  return mdWrap(id, wanted, (inner) => mdSpanning(width, inner));
}

function mdSpanning(width, wanted) {
  return mdTag("tr", {}, [mdTag("td", { colspan: String(width) }, [wanted])]);
}

/** Describe a row of a table with its cells, which are drawn by it and by nobody else. */
function mdTableRow(view, id, node, where) {
  const cells = mdShown(node)[0].map((cell, place) => {
    const pointer = node.m && place === 0
      ? mdTag("span", { class: "md-pointer", "aria-hidden": "true" }, [MD_POINTER])
      : null;
    const scope = where.inside === "head" ? "col" : place === 0 ? "row" : "";
    return mdTableCell(view, id, cell, { where, pointer, scope });
  });
  return mdTag("tr", { class: mdClass("md-line", node), ...mdHere(node) }, cells);
}

function mdTableCell(view, row, id, { where, pointer, scope }) {
  const here = mdInside(row, where);
  const node = mdNode(view, id, here);
  if (!node) return null;
  if (node.p !== "cell") {
    const wanted = mdDescribe(view, id, here);
    return mdWrap(id, wanted, (inner) => mdTag("td", {}, [pointer, inner]));
  }
  view.owners.set(id, row);
  view.places.delete(id);
  const content = [pointer, ...mdContent(view, node)];
  const isTitle = scope && (node.t || mdState(node)); // an empty cell heads nothing
  const at = { class: mdClass(mdCellName(node), node) };
  return isTitle ? mdTag("th", { ...at, scope }, content) : mdTag("td", at, content);
}

/** Give the classes of a cell; one with few words, or a bar, is never broken into lines. */
function mdCellName(node) {
  const text = node.t ?? "";
  const isShort = mdCharacters(text, MD_SHORT + 1).length <= MD_SHORT || MD_BAR.test(text);
  return `md-cell${isShort ? " md-short" : ""}${node.r === "code" ? " md-source" : ""}`;
}

function mdLooseCell(view, id, node) {
  return mdTag("span", { class: mdClass(mdCellName(node), node) }, mdContent(view, node));
}

function mdTree(view, id, node, where) {
  const children = mdBranches(view, id, node, where);
  const branch = children.length ? [mdTag("ul", { class: "md-branch" }, children)] : [];
  const content = mdContent(view, node);
  const body = mdIsFolded(node)
    ? [mdFold("md-fold", "md-label", content, node, branch)]
    : [mdTag("span", { class: "md-label" }, content), ...branch];
  const item = mdTag("li", { class: mdClass("md-item", node) }, body);
  return where.inside === "tree" ? item : mdTag("ul", { class: "md-tree" }, [item]);
}

/** Describe what is below a tree's node: items, anything else inside an item. */
function mdBranches(view, id, node, where) {
  const [shown, more] = mdShown(node);
  const items = shown.filter((child) => view.scene.has(child)).map((child) => {
    const deeper = mdInside(id, where, "tree");
    if (mdNode(view, child, deeper).p === "tree") return mdDescribe(view, child, deeper);
    const wanted = mdDescribe(view, child, { ...deeper, inside: "" });
    return mdWrap(child, wanted, (inner) => mdTag("li", { class: "md-leaf" }, [inner]));
  });
  if (more) items.push(mdTag("li", { class: "md-leaf" }, [mdMore(more)]));
  return items;
}

function mdEdge(view, id, node) {
  const [from, to] = [...(node.l || []), "?", "?"].map(mdHarmless);
  const said = [`${from} ──`, mdHarmless(node.t ?? ""), `──▸ ${to}`].filter(Boolean);
  const at = { class: mdClass("md-edge", node) };
  return mdTag("p", at, mdContent(view, node, said.join(" ")));
}

function mdBadge(view, id, node) {
  const name = mdNameOf(node);
  const title = name && name !== mdHarmless(node.t ?? "") ? { title: name } : {};
  return mdTag("span", { class: mdClass("md-badge", node), ...title }, mdContent(view, node));
}

function mdText(view, id, node) {
  return mdTag("p", { class: mdClass("md-text", node) }, mdContent(view, node));
}

/** Describe lines that came in over time; too many, and the oldest are counted. */
function mdLog(view, id, node) {
  const lines = mdLines(node.t ?? "");
  const older = Math.max(lines.length - MD_MOST_LINES, 0);
  const said = lines.slice(older).map(mdHarmless);
  if (older) said.unshift(`… ${older} older lines`);
  const at = {
    class: "md-log", role: "log", "aria-live": "off", "aria-label": mdNameOf(node),
    tabindex: "0",
  };
  return mdTag("div", at, [mdTag("pre", { class: "md-lines" }, [said.join("\n")])]);
}

/** Describe source: numbers, and a pointer at the line that is meant. */
function mdCode(view, id, node) {
  const first = node.no || 0;
  const all = (node.t ?? "").split("\n");
  const lines = all.slice(0, MD_MOST_LINES);
  const digits = String(first + lines.length).length;
  const spans = lines.map((line, place) => mdCodeLine(line, first + place, digits, node));
  const more = all.length > lines.length
    ? mdTag("span", { class: "md-more" }, [`… and ${all.length - lines.length} more`])
    : null;
  const at = {
    class: "md-code", role: "group", "aria-label": mdNameOf(node), tabindex: "0",
  };
  return mdTag("div", at, [mdTag("pre", { class: "md-lines" }, [...spans, more])]);
}

function mdCodeLine(line, number, digits, node) {
  const isHere = number === node.mk && number > 0;
  const said = `${isHere ? MD_POINTER : " "} ${String(number).padStart(digits)} `;
  const at = { class: isHere ? "md-line md-here" : "md-line" };
  return mdTag("span", isHere ? { ...at, "aria-current": "step" } : at, [
    mdTag("span", { class: "md-number" }, [said]),
    `${mdHarmless(line)}\n`,
  ]);
}

// ── Harmless text ───────────────────────────────────────────────────────────────────────

/**
 * Make a text one printable line: what does not print is spelt out, marks do not pile up.
 *
 * mdHarmless("a\u001b[2Jb\u202ec") is "a\\x1b[2Jb\\u202ec".
 *
 * @param {string} text
 * @returns {string}
 */
function mdHarmless(text) {
  const said = String(text);
  if (said.length <= MD_MOST_TEXT && /^[ -~]*$/.test(said)) return said;
  const some = mdCharacters(said, MD_MOST_TEXT + 1).join("").replaceAll("\t", "    ");
  const plain = some.replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, mdSpelt)
    .replace(/([\p{Mn}\p{Me}]{2})[\p{Mn}\p{Me}]+/gu, "$1");
  const isWhole = mdCharacters(said, MD_MOST_TEXT + 1).length <= MD_MOST_TEXT
    && mdCharacters(plain, MD_MOST_TEXT + 1).length <= MD_MOST_TEXT;
  return isWhole ? plain : `${mdCharacters(plain, MD_MOST_TEXT - 1).join("")}…`;
}

/** Give the first characters of a text; a character may be two of JavaScript's units. */
function mdCharacters(said, count) {
  return Array.from(said.slice(0, 2 * count)).slice(0, count);
}

/** Spell out one character as Python's source would. */
function mdSpelt(character) {
  const short = { "\n": "\\n", "\r": "\\r" };
  if (short[character]) return short[character];
  const number = character.codePointAt(0);
  const digits = number.toString(16);
  if (number < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return number < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

/** Split at line ends; the last one does not begin another line. */
function mdLines(text) {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

// ── Elements ────────────────────────────────────────────────────────────────────────────

/**
 * Make an element be as wanted, the given one if it can be; give the one that is.
 *
 * @param {object} view
 * @param {?Node} node  the present one, or null
 * @param {object|string} wanted  a description, or the words of a text node
 */
function mdMorph(view, node, wanted) {
  if (wanted.keep) return wanted.keep;
  if (typeof wanted === "string") return mdMorphText(node, wanted);
  const element = mdCanBe(view, node, wanted) ? node : document.createElement(wanted.tag);
  mdMorphAttributes(element, wanted.at);
  mdMorphChildren(view, element, wanted.kids);
  view.keys.set(element, mdKey(wanted));
  if (wanted.key !== undefined) {
    const { where, shape } = wanted;
    view.places.set(wanted.key, { element, where, shape });
  }
  if (wanted.around !== undefined) view.wraps.set(wanted.around, element);
  return element;
}

/** Tell elements apart that stand beside each other: whom they show, or are around. */
function mdKey(wanted) {
  if (wanted.around !== undefined) return `around ${wanted.around}`;
  return wanted.key === undefined ? undefined : `shows ${wanted.key}`;
}

/** Can this node become the wanted element without losing who it is? */
function mdCanBe(view, node, wanted) {
  return Boolean(node) && node.nodeType === 1 && node.localName === wanted.tag
    && view.keys.get(node) === mdKey(wanted);
}

function mdMorphText(node, said) {
  if (!node || node.nodeType !== 3) return document.createTextNode(said);
  if (node.data !== said) node.data = said;
  return node;
}

/** Set and remove attributes; whether a <details> is open is its reader's business. */
function mdMorphAttributes(element, wanted) {
  for (const name of element.getAttributeNames()) {
    if (!Object.hasOwn(wanted, name) && name !== "open") element.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (!MD_ATTRIBUTES.has(name)) throw new Error(`no picture may have ${name}`);
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

/** Bring children into the wanted order: first what is gone goes, then each in its place. */
function mdMorphChildren(view, element, wanted) {
  const keys = new Set(wanted.map(mdKey));
  for (const child of [...element.childNodes]) {
    if (!keys.has(view.keys.get(child))) child.remove();
  }
  let next = element.firstChild;
  for (const kid of wanted) {
    const present = mdPresent(view, element, next, kid);
    const child = mdMorph(view, present, kid);
    if (present && present !== child) {
      if (present === next) next = child;
      present.replaceWith(child);
    }
    if (child === next) {
      next = next.nextSibling;
    } else {
      element.insertBefore(child, next);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** Which child is the wanted one now?  One with an id is found wherever it stands. */
function mdPresent(view, element, next, kid) {
  const key = mdKey(kid);
  if (key === undefined) return next && view.keys.get(next) === undefined ? next : null;
  const known = kid.around === undefined
    ? view.places.get(kid.key)?.element
    : view.wraps.get(kid.around);
  return known && known.parentNode === element && view.keys.get(known) === key ? known : null;
}

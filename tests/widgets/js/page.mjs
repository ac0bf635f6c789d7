// A page for the painter, as small as it can be: it draws what it reads and says what is there.
//
// One line of JSON comes in, {scenes: [flat, flat, …], options}; the first scene is painted,
// each other one is patched in, and one line goes out: the markup after each, and what
// happened to whoever had the focus and to lists that somebody had opened.

import { createInterface } from "node:readline";
import { mdElementOf, mdPaintView, mdPatchView } from "./dom.mjs";

class FakeNode {
  parentNode = null;

  get nextSibling() {
    const among = this.parentNode?.childNodes ?? [];
    return among[among.indexOf(this) + 1] ?? null;
  }

  remove() {
    if (!this.parentNode) return;
    if (this.contains(document.activeElement)) document.activeElement = null;
    const among = this.parentNode.childNodes;
    among.splice(among.indexOf(this), 1);
    this.parentNode = null;
  }

  replaceWith(other) {
    this.parentNode.insertBefore(other, this);
    this.remove();
  }

  contains(other) {
    for (let node = other; node; node = node.parentNode) if (node === this) return true;
    return false;
  }
}

class FakeText extends FakeNode {
  nodeType = 3;

  constructor(data) {
    super();
    this.data = data;
  }

  get outerHTML() {
    return escaped(this.data);
  }
}

class FakeElement extends FakeNode {
  nodeType = 1;
  childNodes = [];
  attributes = new Map();
  ownerDocument = document;

  constructor(name) {
    super();
    this.localName = name;
  }

  get firstChild() {
    return this.childNodes[0] ?? null;
  }

  getAttributeNames() {
    return [...this.attributes.keys()];
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  insertBefore(child, next) {
    child.remove();
    const place = next ? this.childNodes.indexOf(next) : this.childNodes.length;
    if (place < 0) throw new Error("the next one is no child of this");
    this.childNodes.splice(place, 0, child);
    child.parentNode = this;
  }

  replaceChildren(...children) {
    for (const child of [...this.childNodes]) child.remove();
    for (const child of children) this.insertBefore(child, null);
  }

  focus() {
    document.activeElement = this;
  }

  get outerHTML() {
    const said = [...this.attributes].sort()
      .map(([name, value]) => ` ${name}="${escaped(value)}"`);
    const inner = this.childNodes.map((child) => child.outerHTML).join("");
    const lead = this.localName === "pre" ? "\n" : ""; // which a browser would forget
    return `<${this.localName}${said.join("")}>${lead}${inner}</${this.localName}>`;
  }
}

function escaped(said) {
  const marks = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
  return said.replace(/[&<>"']/g, (mark) => marks[mark]);
}

function all(element) {
  return [element, ...(element.childNodes ?? []).flatMap(all)];
}

globalThis.document = {
  activeElement: null,
  createElement: (name) => new FakeElement(name),
  createTextNode: (data) => new FakeText(data),
};

function changed(before, after) {
  const ids = new Set([...before.keys(), ...after.keys()]);
  const differ = (id) => JSON.stringify(before.get(id)) !== JSON.stringify(after.get(id));
  return [...ids].filter(differ);
}

/** Paint, patch, and tell. */
function walk({ scenes, options }) {
  const host = new FakeElement("div");
  const markup = [];
  let before = null;
  let kept = true;
  for (const flat of scenes) {
    const scene = new Map(Object.entries(flat));
    if (before === null) {
      mdPaintView(host, scene, options);
    } else {
      kept = patch(host, before, scene, options) && kept;
    }
    markup.push(host.firstChild.outerHTML.replace(/(<details[^>]*) open=""/g, "$1"));
    before = scene;
  }
  return { markup, kept };
}

/** Patch a picture that is in use; are those who still have their place left alone? */
function patch(host, before, after, options) {
  const elements = new Map([...before.keys()].map((id) => [id, mdElementOf(host, id)]));
  const inUse = all(host).filter((each) => each.localName === "details");
  for (const each of inUse) each.setAttribute("open", "");
  const focusable = all(host).filter((each) => each.attributes?.has("tabindex"));
  const focused = focusable.at(-1);
  focused?.focus();
  mdPatchView(host, after, changed(before, after), options);
  const stays = [...before.keys()].filter((id) => id && sameBones(id, before, after));
  const same = stays.every((id) => mdElementOf(host, id) === elements.get(id));
  const isFocused = !focused || !host.contains(focused) || document.activeElement === focused;
  const open = inUse.filter((each) => host.contains(each))
    .every((each) => each.attributes.has("open"));
  return same && isFocused && open;
}

/** Is this node, and all above it, of the same kind and with the same children as before? */
function sameBones(id, before, after) {
  for (let at = id; at; at = parentOf(at)) {
    const [one, other] = [before.get(at), after.get(at)];
    if (!one || !other || bones(one) !== bones(other)) return false;
  }
  return true;
}

function bones(node) {
  return JSON.stringify([node.p, Boolean(node.f), node.k]);
}

function parentOf(id) {
  return id.slice(0, Math.max(id.lastIndexOf("."), 0));
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(walk(JSON.parse(line))));
}

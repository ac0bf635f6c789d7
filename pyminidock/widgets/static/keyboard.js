// Keys: which press means which action, and which presses are not ours.
//
// The table is Python's (`viz/keys.py`), the same for terminal, notebook and replay.  Two
// traps are walked around here.  JupyterLab listens on the document for single letters, and
// an element of ours that has the focus counts as its cell: `d d` would delete it, so no
// unmodified key goes further than our root.  And a key keeps its own meaning where the
// browser gives it one: on a button, in a field, in a list.

/** The key table, asked by press and by action. */
class MdKeys {
  /** @param {object[]} rows `keys.as_data()` of Python */
  constructor(rows) {
    this.rows = (rows ?? []).filter((row) => row.only_in !== "terminal");
    this.hasLetters = true; // single-letter keys can be switched off
    this._actions = new Map();
    this._shown = new Map();
    for (const row of this.rows) {
      this._shown.set(row.action, row.shown);
      row.names.forEach((name) => this._actions.set(name, row.action));
    }
  }

  /** The action of a press; null for one that means nothing here. */
  actionOf(event) {
    const isLetter = event.key.length === 1 && event.key !== " ";
    if (isLetter && !this.hasLetters) {
      return null;
    }
    const name = isLetter || !event.shiftKey ? event.key : `Shift+${event.key}`;
    return this._actions.get(name) ?? null;
  }

  /** How the key of an action is written; "" where it has none. */
  shown(action) {
    return this._shown.get(action) ?? "";
  }

  /** Words with the key behind them. */
  titled(action, words) {
    const shown = this.shown(action);
    return shown ? `${words} (${shown})` : words;
  }
}

/**
 * Listen to the keys within `root`.  `act(action)` does what a key means, `leave(event)` is
 * for Escape, which closes, then goes to the root, then further out.
 */
function mdListenToKeys(root, keys, { act, leave, signal }) {
  const listener = (event) => {
    const isModified = event.ctrlKey || event.metaKey || event.altKey;
    if (!isModified || event.key === "Enter") {
      event.stopPropagation();
    }
    if (isModified || event.isComposing || event.defaultPrevented) {
      return;
    }
    if (event.key === "Escape") {
      event.preventDefault();
      leave();
      return;
    }
    const action = mdKeepsKey(event.target, event.key) ? null : keys.actionOf(event);
    if (action) {
      event.preventDefault();
      act(action);
    }
  };
  root.addEventListener("keydown", listener, { signal });
  mdKeepFromNotebook(root, signal);
}

/**
 * Jupyter Notebook 7 listens before anybody else does, on the way down, where nothing can be
 * kept from it; but it lets the element be that wears this attribute.  With a modifier a key is
 * the notebook's all the same: Ctrl+S saves.
 */
function mdKeepFromNotebook(root, signal) {
  const mark = (event) => {
    if (event.target instanceof Element && root.contains(event.target)) {
      const isModified = event.ctrlKey || event.metaKey || event.altKey;
      mdSet(event.target, "data-lm-suppress-shortcuts", isModified && event.key !== "Enter" ? null : "true");
    }
  };
  window.addEventListener("keydown", mark, { capture: true, signal });
}

/** Whether a key means something to the element that has the focus. */
function mdKeepsKey(target, key) {
  if (target.matches("input[type=checkbox], button, summary, a[href]")) {
    return key === " " || key === "Enter";
  }
  return target.matches("input, select, textarea");
}

/*
 * Two cards of a lesson: a question with a covered answer, and the panel of a level.
 *
 *   model.card        what is shown, made by ask.py; every word of it comes from there
 *   model.send(…)     what was chosen or pressed: {t, …}
 *
 * Nothing here knows an answer.  Controls are the browser's own: radio buttons in a fieldset
 * with a legend, buttons, a list.  Text is set as text; there is no other way in.  A card
 * that changes is drawn again, and whoever stood on a control still stands on it.
 */

function mdEl(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "text") made.textContent = String(value);
    else if (/^(class|id|type|name|value|for|role|lang|aria-[a-z]+|data-md|tabindex)$/.test(key))
      made.setAttribute(key, String(value));
    else if (/^(checked|disabled|hidden|open)$/.test(key)) made[key] = Boolean(value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

/* Prose: what stands between `backticks` is code. */
function mdProse(text) {
  return String(text).split(/`([^`]+)`/).map((part, n) => (n % 2 ? mdEl("code", { text: part }) : part));
}

class MdCard {
  constructor(el, model, signal) {
    this.model = model;
    // Radio buttons of one name are one group on the whole page, and every widget loads this
    // file anew: a counter here would begin at 1 for each.
    this.id = Math.random().toString(36).slice(2);
    this.chosen = {};
    this.root = mdEl("div", { class: "md-root md-card", role: "group", tabindex: "-1" });
    this.says = mdEl("p", { class: "md-sr", role: "status" });
    this.body = mdEl("div", { class: "md-card-body" });
    this.root.append(this.body, this.says);
    el.append(this.root);
    this.root.addEventListener("keydown", (event) => {
      const isModified = event.ctrlKey || event.metaKey || event.altKey;
      if (!isModified || event.key === "Enter") event.stopPropagation();
      if (event.key === "Escape") this.leave(event);
    }, { signal });
    /* Notebook 7 listens on the way down, and lets be what wears this; see keyboard.js. */
    window.addEventListener("keydown", (event) => {
      if (!(event.target instanceof Element) || !this.root.contains(event.target)) return;
      const isOurs = event.key === "Enter" || !(event.ctrlKey || event.metaKey || event.altKey);
      event.target.toggleAttribute("data-lm-suppress-shortcuts", isOurs);
    }, { capture: true, signal });
    this.body.addEventListener("change", (event) => this.changed(event), { signal });
    this.body.addEventListener("click", (event) => this.pressed(event), { signal });
    const drawn = () => this.draw();
    model.on("change:card", drawn);
    signal.addEventListener("abort", () => model.off("change:card", drawn));
    this.followTheme(signal);
    this.draw();
    this.coverStatic(el);
  }

  leave(event) {
    if (event.target === this.root) this.root.closest(".jp-Cell")?.focus();
    else this.root.focus();
  }

  /* The picture for pages without a kernel stands above; here it would tell the answer. */
  coverStatic(el) {
    const id = this.model.get("card").cover;
    const cell = el.closest(".jp-Cell, .cell") ?? document;
    const hide = () => {
      for (const found of cell.querySelectorAll(`[id="${id}"]`)) found.hidden = true;
    };
    hide();
    requestAnimationFrame(hide);
  }

  followTheme(signal) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const look = () => {
      const { jpThemeLight } = document.body.dataset;
      const isVsDark = /vscode-(dark|high-contrast)(?!-light)/.test(document.body.className);
      const isDark = jpThemeLight ? jpThemeLight === "false" : isVsDark || dark.matches;
      this.root.classList.toggle("md-dark", isDark);
    };
    const watch = new MutationObserver(look);
    watch.observe(document.body, { attributes: true });
    dark.addEventListener("change", look, { signal });
    signal.addEventListener("abort", () => watch.disconnect());
    look();
  }

  draw() {
    const card = this.model.get("card");
    const at = this.root.contains(document.activeElement)
      ? document.activeElement.getAttribute("data-md") : null;
    this.root.setAttribute("aria-label", card.name);
    this.root.setAttribute("lang", card.lang);
    const parts = card.kind === "predict" ? this.question(card) : this.level(card);
    this.body.replaceChildren(...parts.filter(Boolean));
    if (at) this.body.querySelector(`[data-md="${CSS.escape(at)}"]`)?.focus();
    if (card.says && card.says !== this.said) this.says.textContent = card.says;
    this.said = card.says;
  }

  head(card) {
    return mdEl("div", { class: "md-card-head" },
      mdEl("span", { class: "md-card-kind", text: card.label }),
      mdEl("h3", { class: "md-card-title", text: card.title }));
  }

  /* One question with native radio buttons; `group` names what is chosen. */
  choices(group, legend, options, className) {
    const name = `md-${this.id}-${group}`;
    return mdEl("fieldset", { class: `md-choices ${className}` },
      mdEl("legend", {}, ...mdProse(legend)),
      ...options.map((option) => mdEl("label", { class: "md-choice" },
        mdEl("input", {
          type: "radio", name, value: option.id, "data-md": `${group}:${option.id}`,
          checked: this.chosen[group] === option.id,
        }),
        mdEl("span", {}, ...mdProse(option.text)))));
  }

  button(id, label, isDisabled, className = "") {
    return mdEl("button", {
      type: "button", class: `md-button ${className}`, "data-md": `press:${id}`,
      "aria-disabled": isDisabled ? "true" : false, text: label,
    });
  }

  /* ── A prediction ────────────────────────────────────────────────────────────────── */

  question(card) {
    const isOpen = Boolean(this.chosen.answer);
    return [
      this.head(card),
      this.choices("answer", card.prompt, card.options, "md-answers"),
      this.choices("sure", card.sure.legend, card.sure.options, "md-sure"),
      mdEl("div", { class: "md-buttons" },
        this.button("reveal", card.reveal, !isOpen, "md-first"),
        mdEl("span", { class: "md-aside", text: card.result ? "" : isOpen ? card.covered : card.first })),
      card.result && this.result(card.result),
    ];
  }

  result(result) {
    return mdEl("div", { class: `md-result md-s-${result.state}` },
      mdEl("p", { class: "md-verdict" },
        mdEl("span", { class: "md-sign", "aria-hidden": "true", text: result.glyph }),
        mdEl("strong", { text: result.verdict })),
      result.why && mdEl("p", {}, ...mdProse(result.why)),
      mdEl("pre", { class: "md-output", tabindex: "0", "aria-label": result.named, text: result.output }),
      result.answer && mdEl("p", { text: result.answer }),
      result.evidence && mdEl("p", { class: "md-aside", text: result.evidence }));
  }

  /* ── A level ─────────────────────────────────────────────────────────────────────── */

  level(card) {
    return [
      this.head(card),
      card.task && mdEl("p", { class: "md-task" }, ...mdProse(card.task)),
      mdEl("ul", { class: "md-goals", "aria-label": card.named },
        ...card.goals.map((goal) => mdEl("li", { class: `md-goal md-s-${goal.state}` },
          mdEl("span", { class: "md-sign", "aria-hidden": "true", text: goal.glyph }),
          mdEl("div", {},
            mdEl("code", { text: goal.text }),
            mdEl("span", { class: "md-word", text: goal.word }),
            goal.why && mdEl("p", { class: "md-why" }, ...mdProse(goal.why)))))),
      card.causes && this.choices("cause", card.causes.legend, card.causes.options, "md-causes"),
      mdEl("p", { class: "md-status" },
        mdEl("strong", { text: card.status }),
        mdEl("span", { class: "md-aside", text: card.count })),
      card.hints.length && mdEl("ol", { class: "md-hints", "aria-label": card.hinted },
        ...card.hints.map((hint) => mdEl("li", {}, mdEl("span", {}, ...mdProse(hint))))),
      card.solution && mdEl("pre", { class: "md-output", tabindex: "0", "aria-label": card.solved, text: card.solution }),
      mdEl("div", { class: "md-buttons" },
        ...card.buttons.map((each, place) =>
          this.button(each.id, each.label, card.busy || each.off, place ? "" : "md-first"))),
    ];
  }

  /* ── What is done ────────────────────────────────────────────────────────────────── */

  changed(event) {
    const [group, id] = (event.target.getAttribute("data-md") ?? "").split(/:(.*)/s);
    if (!id) return;
    this.chosen[group] = id;
    if (group === "cause") this.model.send({ t: "cause", id });
    this.draw();
  }

  pressed(event) {
    const pressed = event.target.closest?.("button");
    if (!pressed || pressed.getAttribute("aria-disabled") === "true") return;
    const id = pressed.getAttribute("data-md").slice("press:".length);
    if (id === "reveal")
      this.model.send({ t: "reveal", option: this.chosen.answer, sure: this.chosen.sure ?? "" });
    else this.model.send({ t: id });
  }
}

export default {
  render({ model, el, signal }) {
    new MdCard(el, model, signal);
  },
};

// One scene in a notebook, drawn once: it can be unfolded, and no kernel is asked anything.

/** Draw what the model holds, in the theme that is around it. */
function mdRenderPicture({ model, el, signal }) {
  const root = document.createElement("div");
  root.className = "md-root md-still";
  root.lang = "en";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", model.get("title"));
  const canvas = document.createElement("div");
  root.append(canvas);
  el.appendChild(root);
  const leave = () => root.closest(".jp-Cell")?.focus();
  mdListenToKeys(root, new MdKeys([]), { act() {}, leave, signal }); // d d deletes no cell
  mdFollowTheme(root, signal);
  mdHideFigures(root, signal);
  const { nodes, options } = JSON.parse(model.get("scene"));
  mdPaintView(canvas, new Map(Object.entries(nodes)), options);
}

export default { render: mdRenderPicture };

"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);

  // Filters: by action and by a part of the name. What is not meant is hidden in lists and faint in the graph.
  const tools = one(".tools");
  const search = one("input[type=search]");
  const found = one(".found");
  const items = all(".item");
  const boxes = all("svg.graph .box");
  const paths = all("svg.graph .lines path");
  const wanted = new Set();
  const filter = () => {
    const text = (search?.value ?? "").trim().toLowerCase();
    const meant = (actions, name) =>
      (wanted.size === 0 || actions.some((action) => wanted.has(action))) && (name ?? "").toLowerCase().includes(text);
    let count = 0;
    for (const item of items) {
      item.hidden = !meant([item.dataset.action], item.dataset.name);
      if (!item.hidden && item.localName === "tr") count += 1;
    }
    const faint = new Set();
    for (const box of boxes) {
      const hide = !meant(box.dataset.actions.split("|"), box.dataset.name);
      box.classList.toggle("faint", hide);
      if (hide) faint.add(box.dataset.node);
    }
    for (const path of paths) {
      path.classList.toggle("faint", faint.has(path.dataset.from) || faint.has(path.dataset.to));
    }
    const rows = items.filter((item) => item.localName === "tr").length;
    if (found) found.textContent = wanted.size > 0 || text ? `${count} of ${rows}` : "";
  };
  if (tools) {
    tools.hidden = false;
    for (const chip of all("[data-filter]")) {
      chip.addEventListener("click", () => {
        const action = chip.dataset.filter;
        const pressed = !wanted.delete(action);
        if (pressed) wanted.add(action);
        chip.setAttribute("aria-pressed", String(pressed));
        filter();
      });
    }
    search.addEventListener("input", filter);
    for (const button of all("[data-open]")) {
      button.addEventListener("click", () => {
        for (const details of all("details")) details.open = button.dataset.open === "true";
      });
    }
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target === search;
    if (event.key === "/" && search && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape") {
      wanted.clear();
      for (const chip of all("[data-filter]")) chip.setAttribute("aria-pressed", "false");
      if (search) search.value = "";
      filter();
    }
  });

  // A link opens what it leads to, also when a filter had hidden it.
  const lead = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.localName !== "details") return;
    target.hidden = false;
    target.open = true;
    for (let outer = target.parentElement; outer; outer = outer.parentElement) {
      if (outer.localName === "details") outer.open = true;
    }
    target.classList.remove("target");
    void target.offsetWidth;
    target.classList.add("target");
    target.scrollIntoView({ block: "start" });
    one("summary", target)?.focus({ preventScroll: true });
  };
  addEventListener("hashchange", lead);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a");
    const to = link?.getAttribute("href");
    if (to && to === location.hash) lead();
  });
  lead();

  // On paper everything is open.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    closed = [];
  });

  // The graph: drag or arrow keys move it, the wheel with Ctrl, plus and minus zoom, 0 fits it in.
  const canvas = one(".canvas");
  const svg = one(".canvas svg");
  const view = one(".canvas .view");
  if (!canvas || !svg || !view) return;
  document.documentElement.classList.add("moves");
  one(".zoom").hidden = false;
  const { width, height } = svg.viewBox.baseVal;
  svg.removeAttribute("viewBox");
  let scale = 1;
  let x = 0;
  let y = 0;
  const show = () => view.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  const fit = () => {
    // No higher than the picture, no lower than a finger needs.
    const wanted = height * Math.min(1.1, canvas.clientWidth / width) + 24;
    canvas.style.height = `min(${Math.max(180, wanted)}px, 70vh, 30rem)`;
    const room = canvas.getBoundingClientRect();
    scale = Math.min(1.1, room.width / width, room.height / height);
    // Too small to be read: as high as it goes, from the left.
    if (scale < 0.45) scale = Math.max(0.45, Math.min(0.9, room.height / height));
    x = Math.max(0, (room.width - width * scale) / 2);
    y = Math.max(0, (room.height - height * scale) / 2);
    show();
  };
  const zoom = (factor, cx, cy) => {
    const next = Math.min(4, Math.max(0.05, scale * factor));
    x = cx - ((cx - x) * next) / scale;
    y = cy - ((cy - y) * next) / scale;
    scale = next;
    show();
  };
  const middle = () => [canvas.clientWidth / 2, canvas.clientHeight / 2];
  const act = { in: () => zoom(1.25, ...middle()), out: () => zoom(0.8, ...middle()), fit };
  for (const button of all("[data-zoom]")) button.addEventListener("click", () => act[button.dataset.zoom]());
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { "+": act.in, "=": act.in, "-": act.out, 0: fit, ArrowLeft: () => (x += 60), ArrowRight: () => (x -= 60), ArrowUp: () => (y += 60), ArrowDown: () => (y -= 60) };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
    show();
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const at = canvas.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });
  const fingers = new Map();
  let moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    moved = false;
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const [dx, dy] = [event.clientX - last.clientX, event.clientY - last.clientY];
    if (!moved && Math.hypot(dx, dy) < 4) return;
    if (!moved) {
      moved = true;
      canvas.classList.add("held");
      canvas.setPointerCapture(event.pointerId);
    }
    const others = [...fingers.values()].filter((other) => other.pointerId !== event.pointerId);
    if (others.length > 0) {
      const at = canvas.getBoundingClientRect();
      const [other] = others;
      const far = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      zoom(far(event) / Math.max(1, far(last)), (event.clientX + other.clientX) / 2 - at.left, (event.clientY + other.clientY) / 2 - at.top);
    } else {
      x += dx;
      y += dy;
      show();
    }
    fingers.set(event.pointerId, event);
  });
  const release = (event) => {
    fingers.delete(event.pointerId);
    if (fingers.size === 0) canvas.classList.remove("held");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  // The end of a drag is no click on a box.
  canvas.addEventListener("click", (event) => {
    if (moved) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);
  // A box under the keyboard's focus comes into view; its lines stand out.
  const mark = (box, on) => {
    for (const path of paths) {
      if (path.dataset.from === box.dataset.node || path.dataset.to === box.dataset.node) path.classList.toggle("near", on);
    }
  };
  for (const box of boxes) {
    box.addEventListener("pointerenter", () => mark(box, true));
    box.addEventListener("pointerleave", () => mark(box, false));
    box.addEventListener("focusin", () => {
      mark(box, true);
      const [inner, outer] = [box.getBoundingClientRect(), canvas.getBoundingClientRect()];
      if (inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom) {
        x += outer.left + outer.width / 2 - (inner.left + inner.width / 2);
        y += outer.top + outer.height / 2 - (inner.top + inner.height / 2);
        show();
      }
    });
    box.addEventListener("focusout", () => mark(box, false));
  }
  canvas.addEventListener("scroll", () => canvas.scrollTo(0, 0));
  let printing = false;
  addEventListener("resize", () => printing || fit());
  addEventListener("beforeprint", () => {
    printing = true;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    view.removeAttribute("transform");
  });
  addEventListener("afterprint", () => {
    printing = false;
    svg.removeAttribute("viewBox");
    show();
  });
  fit();
})();

// Helps in the text of a workflow: a link to a line selects it there, and the numbers beside the text grow with it.
// Without script the links lead to the numbers, and the button "check" does what the pause in typing does.
(() => {
  const text = document.getElementById("f-text");
  const numbers = document.querySelector(".numbers");
  if (!text || !numbers) return;
  const dirty = { now: false };
  document.addEventListener("click", e => {
    const link = e.target.closest("a[data-line], a[href^='#L']");
    if (!link) return;
    e.preventDefault();
    const line = Number(link.dataset.line || link.hash.slice(2));
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    text.focus({ preventScroll: true });
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    document.getElementById("L" + line)?.scrollIntoView({ block: "center" });
  });
  text.addEventListener("input", () => {
    dirty.now = true;
    const count = text.value.split("\n").length;
    text.rows = count + 1;
    for (let n = numbers.childElementCount + 1; n <= count + 20; n++) {
      const span = document.createElement("span");
      span.id = "L" + n;
      span.textContent = n;
      numbers.append(span);
    }
  });
  document.addEventListener("htmx:after:swap", () => {
    const bad = new Set([...document.querySelectorAll("#checks a[data-line]")].map(a => "L" + a.dataset.line));
    for (const span of numbers.children) span.classList.toggle("bad", bad.has(span.id));
    text.setAttribute("aria-invalid", bad.size > 0);
  });
  text.form.addEventListener("submit", () => { dirty.now = false; });
  addEventListener("beforeunload", e => { if (dirty.now) e.preventDefault(); });
})();

// Helps on the letter desk: a text area is as high as its text, notes of the check stand at their blocks, and a page with
// unsaved text asks before it is left. The check while typing is htmx's; without script the button does the same.
(() => {
  const form = document.getElementById("editor");
  if (!form) return;
  let dirty = false;
  form.addEventListener("input", e => {
    if (e.target.matches("textarea")) {
      dirty = true;
      e.target.rows = Math.max(2, e.target.value.split("\n").length);
    }
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const notes of form.querySelectorAll("[data-notes]")) {
      document.getElementById(notes.dataset.notes)?.replaceChildren(...notes.childNodes);
      notes.remove();
    }
  });
  form.addEventListener("submit", e => { if (!e.submitter?.formTarget) dirty = false; });
  addEventListener("beforeunload", e => { if (dirty) e.preventDefault(); });
})();

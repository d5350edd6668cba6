for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    const numeric = head.classList.contains("number");
    const value = row => {
      const text = row.cells[column].textContent.trim();
      return numeric ? parseFloat(text.replace(/,/g, "").replace("−", "-")) : text.toLowerCase();
    };
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter(row => row.cells.length === heads.length);
        const known = row => value(row) === value(row) && value(row) !== "";
        rows.sort((a, b) => known(b) - known(a) || (known(a) && sign * (value(a) > value(b) ? 1 : value(a) < value(b) ? -1 : 0)));
        body.append(...rows);
      }
    });
  });
}

// PairTableForce and diffpair.tables.PairTable.

%extend DiffPairPlugin::PairTableForce {
    %pythoncode %{
    @staticmethod
    def fromTable(table):
        """Create a force with the types and potentials of a table; particles are still to be added.

        Args:
            table: a `diffpair.PairTable`.

        Returns:
            The force.

        Raises:
            openmm.OpenMMException: the table is unusable.
        """
        force = PairTableForce(len(table.types), table.r_min, table.cutoff, table.knots)
        for index, name in enumerate(table.types):
            force.setTypeName(index, name)
        force.setTable(table)
        return force

    @staticmethod
    def fromFile(path):
        """Create a force from a learned-potential file; particles are still to be added.

        Args:
            path: a file written by `PairTable.save` or `diffpair fit`.

        Returns:
            The force.

        Raises:
            DiffPairError: the file is missing or not a potential of a known version.
        """
        from diffpair.tables import PairTable

        return PairTableForce.fromTable(PairTable.load(path))

    def setTable(self, table):
        """Take over the potentials of a table on the same grid for the same types; then call updateParametersInContext.

        Args:
            table: a `diffpair.PairTable`.

        Raises:
            openmm.OpenMMException: the table has another grid, other types, or unusable coefficients.
        """
        names = tuple(self.getTypeName(i) for i in range(self.getNumTypes()))
        for what, ours, theirs in (
            ("type names", names, tuple(table.types)),
            ("r_min in nm", self.getRMin()._value, table.r_min),
            ("cutoff in nm", self.getTableCutoff()._value, table.cutoff),
            ("number of knots", self.getNumKnots(), table.knots),
        ):
            if ours != theirs:
                raise openmm.OpenMMException(
                    f"PairTableForce: the table's {what} is {theirs}, but the force's is {ours}; make a new force for it"
                )
        rows = iter(table.coefficients)
        for a in range(self.getNumTypes()):
            for b in range(a, self.getNumTypes()):
                self.setPairCoefficients(a, b, next(rows))

    def getTable(self):
        """Get the potentials as a table.

        Returns:
            A `diffpair.PairTable`.

        Raises:
            openmm.OpenMMException: a pair of types has no coefficients.
        """
        import numpy
        from diffpair.tables import PairTable

        number = self.getNumTypes()
        return PairTable(
            types=tuple(self.getTypeName(i) for i in range(number)),
            r_min=self.getRMin()._value,
            cutoff=self.getTableCutoff()._value,
            coefficients=numpy.array([self.getPairCoefficients(a, b) for a in range(number) for b in range(a, number)]),
        )
    %}
}

// System.getForce and XmlSerializer.deserialize return plain Force objects for classes that OpenMM does not know; these
// lead back to the class. Copies and pickles go through the same serialization.

%define DIFFPAIR_CASTING(CLASS)
%newobject DiffPair::CLASS::_clone;
%newobject DiffPair::CLASS::_fromXml;
// The result must keep alive what owns the C++ object.
%pythonappend DiffPair::CLASS::cast %{
        val._source = force
%}
%extend DiffPair::CLASS {
    %feature("docstring") cast "Get a Force, for example one that System.getForce() returned, as the class that it is.";
    static DiffPair::CLASS& cast(OpenMM::Force& force) {
        DiffPair::CLASS* result = dynamic_cast<DiffPair::CLASS*>(&force);
        if (!result)
            throw OpenMM::OpenMMException(force.getName() + " is not a " #CLASS);
        return *result;
    }
    %feature("docstring") isinstance "Get whether a Force is of this class.";
    static bool isinstance(OpenMM::Force& force) {
        return dynamic_cast<DiffPair::CLASS*>(&force) != nullptr;
    }
    DiffPair::CLASS* _clone() {
        return OpenMM::XmlSerializer::clone<DiffPair::CLASS>(*$self);
    }
    static DiffPair::CLASS* _fromXml(const std::string& xml) {
        std::istringstream stream(xml);
        return OpenMM::XmlSerializer::deserialize<DiffPair::CLASS>(stream);
    }
    %pythoncode %{
    def __setstate__(self, xml):
        self.this = type(self)._fromXml(xml).this

    def __copy__(self):
        return self._clone()
    %}
}
%enddef
